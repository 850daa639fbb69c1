/** Debian's Postfix, in a directory of its own: takes mail into its queue as it does by default, and discards it from there. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const hasPostfix = existsSync('/usr/sbin/postfix')

/** Starts Postfix; needs root, as Postfix does. */
export function startPostfix(dir: string, port: number): { readonly pid: number; readonly stop: () => void } {
  const config = join(dir, 'postfix')
  for (const name of ['postfix', 'postfix-queue', 'postfix-data']) mkdirSync(join(dir, name), { recursive: true })
  chmodSync(dir, 0o755)
  execFileSync('chown', ['postfix', join(dir, 'postfix-data')])
  writeFileSync(
    join(config, 'main.cf'),
    [
      'compatibility_level = 3.6',
      `queue_directory = ${join(dir, 'postfix-queue')}`,
      `data_directory = ${join(dir, 'postfix-data')}`,
      'command_directory = /usr/sbin',
      'daemon_directory = /usr/lib/postfix/sbin',
      'mail_owner = postfix',
      'setgid_group = postdrop',
      'myhostname = mail.example.org',
      'mydestination = example.org',
      'inet_interfaces = 127.0.0.1',
      'inet_protocols = ipv4',
      'mynetworks = 127.0.0.0/8',
      'local_recipient_maps =',
      'mailbox_transport = discard:',
      'local_transport = discard:',
      'alias_maps =',
      'maillog_file = /dev/null',
      'maillog_file_prefixes = /dev',
      'smtpd_client_connection_count_limit = 0',
      'smtpd_client_connection_rate_limit = 0',
      'default_process_limit = 100',
      '',
    ].join('\n'),
  )
  const service = (name: string, type: string, command: string, options = '- - n - -'): string => `${name} ${type} ${options} ${command}`
  writeFileSync(
    join(config, 'master.cf'),
    [
      service(`127.0.0.1:${port}`, 'inet', 'smtpd', 'n - n - -'),
      service('pickup', 'unix', 'pickup', 'n - n 60 1'),
      service('cleanup', 'unix', 'cleanup', 'n - n - 0'),
      service('qmgr', 'unix', 'qmgr', 'n - n 300 1'),
      service('rewrite', 'unix', 'trivial-rewrite'),
      service('bounce', 'unix', 'bounce', '- - n - 0'),
      service('defer', 'unix', 'bounce', '- - n - 0'),
      service('trace', 'unix', 'bounce', '- - n - 0'),
      service('flush', 'unix', 'flush', 'n - n 1000? 0'),
      service('error', 'unix', 'error'),
      service('discard', 'unix', 'discard'),
      service('local', 'unix', 'local', '- n n - -'),
      service('anvil', 'unix', 'anvil', '- - n - 1'),
      service('scache', 'unix', 'scache', '- - n - 1'),
      service('postlog', 'unix-dgram', 'postlogd', 'n - n - 1'),
      '',
    ].join('\n'),
  )
  execFileSync('/usr/sbin/postfix', ['-c', config, 'start'], { stdio: ['ignore', 'ignore', 'inherit'] })
  return {
    pid: Number(readFileSync(join(dir, 'postfix-queue', 'pid', 'master.pid'), 'utf8')),
    stop() {
      execFileSync('/usr/sbin/postfix', ['-c', config, 'stop'], { stdio: 'ignore' })
    },
  }
}
