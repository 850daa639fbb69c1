/** Debian's Exim in a mail network, with configuration, queue and log of its own: sends mail by MX while it is given it. */
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ADDRESSES, type MailNetwork } from './mail-network.ts'
import type { NetworkMta } from './network-mta.ts'
import { unpackExim } from './unpack-exim.ts'

/** The domain it sends for. Mail for grace@example.org it sends under TLS or not at all. */
export const EXIM_DOMAIN = 'other.example'

/** @returns Exim, or why it could not be had */
export async function startExim(network: MailNetwork): Promise<NetworkMta | { readonly obstacle: string }> {
  const unpacked = await unpackExim(join(network.dir, 'packages'))
  if ('obstacle' in unpacked) return unpacked
  const { program, libraryPath } = unpacked
  const env = libraryPath === '' ? {} : { LD_LIBRARY_PATH: libraryPath }
  const asked = await network.run(program, ['--version'], { env })
  if (asked.code !== 0) return { obstacle: `Exim does not run here: ${asked.stderr.trim()}` }
  const dir = join(network.dir, 'exim')
  await mkdir(join(dir, 'log'), { recursive: true })
  const owned = await network.run('chown', ['-R', 'Debian-exim:', dir])
  if (owned.code !== 0) throw new Error(`Exim has no user: ${owned.stderr}`)
  const config = join(network.dir, 'exim.conf')
  const transport = (name: string, ...options: readonly string[]): string[] => [`${name}:`, '  driver = smtp', `  interface = ${ADDRESSES.exim}`, ...options]
  await writeFile(
    config,
    [
      `primary_hostname = mx.${EXIM_DOMAIN}`,
      `exim_path = ${program}`,
      `spool_directory = ${join(dir, 'spool')}`,
      `log_file_path = ${join(dir, 'log', '%slog')}`,
      'log_selector = +smtp_connection',
      // Only this one is its own: mail for the others may leave.
      `local_interfaces = ${ADDRESSES.exim}`,
      'disable_ipv6 = true',
      'keep_environment = LD_LIBRARY_PATH',
      'acl_smtp_rcpt = accept',
      'begin routers',
      'own:',
      '  driver = redirect',
      `  domains = ${EXIM_DOMAIN}`,
      '  data = :blackhole:',
      'elsewhere:',
      '  driver = dnslookup',
      '  transport = ${if eq{$local_part}{grace}{encrypted}{opportunistic}}',
      '  no_more',
      'begin transports',
      ...transport('opportunistic'),
      ...transport('encrypted', '  hosts_require_tls = *'),
      'begin retry',
      '* * F,1h,1m',
      '',
    ].join('\n'),
  )
  await chmod(config, 0o644)
  const asConfigured = ['-C', config]
  const daemon = network.start('env', [...Object.entries(env).map(([name, value]) => `${name}=${value}`), program, ...asConfigured, '-bdf', '-oX', `${ADDRESSES.exim}:25`])
  daemon.stderr?.resume()
  daemon.stdout?.resume()
  return {
    name: 'Exim',
    domain: EXIM_DOMAIN,
    address: ADDRESSES.exim,
    logged: { connection: /SMTP connection from/, bounce: /<= <> R=/ },
    submit: (sender, recipients, message) => network.run(program, [...asConfigured, '-odi', '-oi', '-f', sender, ...recipients], { input: message, env }),
    log: () => readFile(join(dir, 'log', 'mainlog'), 'utf8').catch(() => ''),
  }
}
