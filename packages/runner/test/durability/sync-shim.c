/* Loaded before libc into a server under test: makes syncing slow or failing, and tells when a sync has returned.
 *
 * SHIM_CONTROL names a file whose first line is read at each sync: "delay N" (milliseconds), "fail", or "pass".
 * SHIM_LOG names a file that gets one octet for each sync just before it returns.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int shimmed(int (*real)(int), int fd) {
  char text[64] = "pass";
  const char *control = getenv("SHIM_CONTROL");
  int file = control == NULL ? -1 : open(control, O_RDONLY);
  if (file >= 0) {
    ssize_t length = read(file, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    close(file);
  }
  int result;
  if (strncmp(text, "fail", 4) == 0) {
    errno = EIO;
    result = -1;
  } else {
    if (strncmp(text, "delay ", 6) == 0) {
      long ms = strtol(text + 6, NULL, 10);
      struct timespec wait = {ms / 1000, (ms % 1000) * 1000000};
      nanosleep(&wait, NULL);
    }
    result = real(fd);
  }
  const char *log = getenv("SHIM_LOG");
  int out = log == NULL ? -1 : open(log, O_WRONLY | O_APPEND | O_CREAT, 0600);
  if (out >= 0) {
    if (write(out, result == 0 ? "s" : "f", 1) < 0) abort();
    close(out);
  }
  return result;
}

int fdatasync(int fd) {
  return shimmed((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"), fd);
}

int fsync(int fd) {
  return shimmed((int (*)(int))dlsym(RTLD_NEXT, "fsync"), fd);
}
