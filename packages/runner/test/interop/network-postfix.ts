/** Debian's Postfix in a mail network, with configuration, queue and log of its own: takes mail, and sends it by MX. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram } from '../host/dns-programs.ts'
import { ADDRESSES, type MailNetwork } from './mail-network.ts'
import type { NetworkMta } from './network-mta.ts'

/** @returns why Postfix can't be had here, or undefined */
export function findPostfixObstacle(): string | undefined {
  return findProgram('postfix') === undefined ? 'postfix is not installed' : undefined
}

/** The domain it sends for. Mail for grace@example.org it sends under TLS or not at all. */
export const POSTFIX_DOMAIN = 'sender.example'

export async function startPostfix(network: MailNetwork): Promise<NetworkMta> {
  const dir = join(network.dir, 'postfix')
  const config = join(dir, 'config')
  for (const name of ['config', 'queue', 'data', 'log']) await mkdir(join(dir, name), { recursive: true })
  for (const name of ['', 'config', 'queue', 'log']) await chmod(join(dir, name), 0o755)
  const owned = await network.run('chown', ['postfix', join(dir, 'data')])
  if (owned.code !== 0) throw new Error(`Postfix has no user: ${owned.stderr}`)
  await writeFile(
    join(config, 'main.cf'),
    [
      'compatibility_level = 3.6',
      `queue_directory = ${join(dir, 'queue')}`,
      `data_directory = ${join(dir, 'data')}`,
      'command_directory = /usr/sbin',
      'daemon_directory = /usr/lib/postfix/sbin',
      'mail_owner = postfix',
      'setgid_group = postdrop',
      `myhostname = mx.${POSTFIX_DOMAIN}`,
      `mydestination = ${POSTFIX_DOMAIN}`,
      // Only this one is its own: mail for the others may leave.
      `inet_interfaces = ${ADDRESSES.postfix}`,
      'inet_protocols = ipv4',
      'mynetworks =',
      'alias_maps =',
      'local_recipient_maps =',
      'local_transport = discard:',
      'message_size_limit = 10240000',
      'smtp_tls_security_level = may',
      'smtp_tls_loglevel = 1',
      'transport_maps = inline:{ grace@example.org=encrypted: }',
      `maillog_file = ${join(dir, 'log', 'mail.log')}`,
      `maillog_file_prefixes = ${join(dir, 'log')}`,
      '',
    ].join('\n'),
  )
  const service = (name: string, type: string, command: string, options = '- - n - -'): string => `${name} ${type} ${options} ${command}`
  await writeFile(
    join(config, 'master.cf'),
    [
      service(`${ADDRESSES.postfix}:25`, 'inet', 'smtpd', 'n - n - -'),
      service('pickup', 'unix', 'pickup', 'n - n 60 1'),
      service('cleanup', 'unix', 'cleanup', 'n - n - 0'),
      service('qmgr', 'unix', 'qmgr', 'n - n 300 1'),
      service('tlsmgr', 'unix', 'tlsmgr', '- - n 1000? 1'),
      service('rewrite', 'unix', 'trivial-rewrite'),
      service('bounce', 'unix', 'bounce', '- - n - 0'),
      service('defer', 'unix', 'bounce', '- - n - 0'),
      service('trace', 'unix', 'bounce', '- - n - 0'),
      service('flush', 'unix', 'flush', 'n - n 1000? 0'),
      service('smtp', 'unix', 'smtp'),
      service('encrypted', 'unix', 'smtp -o smtp_tls_security_level=encrypt'),
      service('error', 'unix', 'error'),
      service('retry', 'unix', 'error'),
      service('discard', 'unix', 'discard'),
      service('anvil', 'unix', 'anvil', '- - n - 1'),
      service('scache', 'unix', 'scache', '- - n - 1'),
      service('postlog', 'unix-dgram', 'postlogd', 'n - n - 1'),
      '',
    ].join('\n'),
  )
  const started = await network.run('postfix', ['-c', config, 'start'])
  const log = (): Promise<string> => readFile(join(dir, 'log', 'mail.log'), 'utf8').catch(() => '')
  if (started.code !== 0) throw new Error(`Postfix did not start: ${started.stderr}${await log()}`)
  return {
    name: 'Postfix',
    domain: POSTFIX_DOMAIN,
    address: ADDRESSES.postfix,
    logged: { connection: /smtpd\[\d+\]: connect from/, bounce: /sender non-delivery notification/ },
    submit: (sender, recipients, message) => network.run('sendmail', ['-C', config, '-B', '8BITMIME', '-i', '-f', sender, ...recipients], { input: message }),
    log,
  }
}
