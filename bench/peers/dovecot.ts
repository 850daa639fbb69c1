/**
 * Debian's Dovecot in a directory of its own: every change synced (`mail_fsync = always`), as Postern's are. Of its
 * formats sdbox takes APPENDs quickest when they come over several connections, and reads as quickly as any.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export const hasDovecot = existsSync('/usr/sbin/dovecot')

/** Starts Dovecot for any user with the password `bench-password`; needs root, as Dovecot does. */
export async function startDovecot(dir: string, port: number): Promise<{ readonly pid: number; readonly stop: () => Promise<void> }> {
  const home = join(dir, 'dovecot')
  mkdirSync(join(home, 'mail'), { recursive: true })
  chmodSync(dir, 0o755)
  execFileSync('chown', ['-R', 'mail:mail', join(home, 'mail')])
  const config = join(home, 'dovecot.conf')
  writeFileSync(
    config,
    `protocols = imap
listen = 127.0.0.1
base_dir = ${join(home, 'run')}
state_dir = ${join(home, 'state')}
log_path = ${join(home, 'log')}
ssl = no
disable_plaintext_auth = no
mail_location = sdbox:${join(home, 'mail')}/%u
mail_fsync = always
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 100
passdb {
  driver = static
  args = password=bench-password
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${join(home, 'mail')}/%u
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`,
  )
  // In the foreground: a child of ours, that is gone when it could not start.
  const child = spawn('/usr/sbin/dovecot', ['-F', '-c', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = once(child, 'exit')
  const isUp = await Promise.race([listens(port), ended.then(() => false)])
  if (!isUp || child.pid === undefined) throw new Error('Dovecot did not start')
  return {
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

/** Whether somebody accepts connections on a port of loopback within ten seconds. */
async function listens(port: number): Promise<boolean> {
  for (let tries = 0; tries < 200; tries += 1) {
    const socket = connect(port, '127.0.0.1')
    const [event] = await Promise.race([once(socket, 'connect').then(() => ['connect']), once(socket, 'close').then(() => ['close'])]).catch(() => ['close'])
    socket.destroy()
    if (event === 'connect') return true
    await delay(50)
  }
  return false
}
