/**
 * Debian's Dovecot in a directory of its own: every change synced (`mail_fsync = always`), as Postern's are. Of its
 * formats sdbox takes APPENDs quickest when they come over several connections, and reads as quickly as any.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const hasDovecot = existsSync('/usr/sbin/dovecot')

/** Starts Dovecot for any user with the password `bench-password`; needs root, as Dovecot does. */
export function startDovecot(dir: string, port: number): { readonly pid: number; readonly stop: () => void } {
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
  execFileSync('/usr/sbin/dovecot', ['-c', config], { stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    pid: Number(readFileSync(join(home, 'run', 'master.pid'), 'utf8')),
    stop() {
      execFileSync('/usr/sbin/dovecot', ['-c', config, 'stop'], { stdio: 'ignore' })
    },
  }
}
