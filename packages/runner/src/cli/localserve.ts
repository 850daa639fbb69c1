/** `postern localserve`: the development server, until a signal comes. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import ipaddr from 'ipaddr.js'
import { createLogger, type LogLevel } from '../host/log.ts'
import type { Endpoint } from '../server/mail-server.ts'
import { createLocalserve, LOCALSERVE_ADDRESS, LOCALSERVE_PASSWORD } from '../setup/localserve.ts'

interface LocalserveFlags {
  readonly dir: string
  readonly ip?: readonly string[]
  readonly portBase: number
  readonly logLevel: LogLevel
  readonly json?: true
}

const LOG_LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

export function localserveCommand(): Command {
  return new Command('localserve')
    .option('--dir <directory>', 'where mail, certificate and keys are kept; made when missing', join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'postern-localserve'))
    .option('--ip <address...>', 'IP addresses to listen on (default: 127.0.0.1)', parseIp)
    .option('--port-base <number>', 'added to the usual ports 25, 143 and 993; 0 takes free ports', parsePortBase, 1000)
    .option('--log-level <level>', `one of ${LOG_LEVELS.join(', ')}`, parseLogLevel, 'warn')
    .option('--json', 'tell endpoints and account in JSON, as one line')
    .action(runLocalserve)
}

async function runLocalserve(flags: LocalserveFlags): Promise<void> {
  const server = await createLocalserve(
    { dir: flags.dir, addresses: flags.ip ?? ['127.0.0.1'], portBase: flags.portBase },
    { logger: createLogger({ level: flags.logLevel }) },
  )
  let endpoints: readonly Endpoint[]
  try {
    endpoints = await server.listen()
  } catch (error) {
    await server.close({ drain: 0 })
    throw error
  }
  // Before it says that it is there: who reads that may want it to stop at once.
  const stopped = nextSignal()
  process.stdout.write(flags.json === true ? `${JSON.stringify({ account: LOCALSERVE_ADDRESS, password: LOCALSERVE_PASSWORD, dir: flags.dir, endpoints })}\n` : welcome(endpoints, flags.dir))
  const signal = await stopped
  await server.close()
  if (flags.json !== true) process.stdout.write(`Stopped by ${signal}.\n`)
  process.exit(0)
}

function welcome(endpoints: readonly Endpoint[], dir: string): string {
  return [
    'Postern is listening.',
    '',
    `  account   ${LOCALSERVE_ADDRESS}`,
    `  password  ${LOCALSERVE_PASSWORD}`,
    '',
    ...endpoints.map(({ url, tls }) => `  ${url}${tls === 'starttls' ? '  (STARTTLS)' : ''}`),
    '',
    `Mail to any address is delivered to that account and kept in ${dir}.`,
    'Ctrl-C stops.',
    '',
  ].join('\n')
}

/** Resolves with SIGINT or SIGTERM; a second one ends the process at once. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1))
        resolve(signal)
      })
    }
  })
}

function parseIp(text: string, before: readonly string[] = []): readonly string[] {
  if (!ipaddr.isValid(text)) throw new InvalidArgumentError('Expected an IP address such as 127.0.0.1')
  return before.includes(text) ? before : [...before, text]
}

function parsePortBase(text: string): number {
  const base = Number(text)
  if (!Number.isInteger(base) || base < 0 || base > 64_000) throw new InvalidArgumentError('Expected a number from 0 to 64000')
  return base
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text)
  if (level === undefined) throw new InvalidArgumentError(`Expected one of ${LOG_LEVELS.join(', ')}`)
  return level
}
