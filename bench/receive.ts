/**
 * Receiving over SMTP, durable: Postern beside Postfix and npm's smtp-server with a file fsynced for each message; with
 * `--aged N` also a Postern whose store has held N messages and lost half of them.
 */
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lmdbStore } from 'postern'
import { age, fill } from './aged-store.ts'
import { compete, type Contestant } from './contest.ts'
import { createMovedClock } from './moved-clock.ts'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { portOf } from './peers/endpoints.ts'
import { hasPostfix, startPostfix } from './peers/postfix.ts'
import { hasSmtpSource, loadSmtp } from './smtp-load.ts'

const POSTFIX_PORT = 20_025

export async function benchReceive(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { messages: 10_000, connections: 20, octets: 5_120, rounds: 3, aged: 0 })
  if (!hasSmtpSource) throw new Error('Needs smtp-source, of the Debian package postfix')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const contestants: Contestant[] = []
  try {
    await startAll(dir, options.aged, contestants)
    const { connections, octets } = options
    await compete(
      {
        name: `receiving ${octets} octets over ${connections} connections`,
        unit: 'messages',
        async run({ port }, round) {
          const count = round === 0 ? Math.ceil(options.messages / 5) : options.messages
          const { messagesPerSecond, clientLoad } = await loadSmtp(port, { messages: count, connections, octets, recipient: 'someone@example.org' })
          return { count, seconds: count / messagesPerSecond, clientLoad }
        },
      },
      contestants,
      options.rounds,
    )
  } finally {
    for (const { stop } of contestants) await stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

async function startAll(dir: string, aged: number, contestants: Contestant[]): Promise<void> {
  if (aged > 0) await makeAged(join(dir, 'aged'), aged)
  for (const name of aged > 0 ? ['fresh', 'aged'] : ['postern']) {
    const { pid, firstLine, stop } = await startPeer('postern-child.ts', [join(dir, name)])
    contestants.push({ name: aged > 0 ? `postern ${name}` : name, port: portOf(firstLine, 'smtp'), pid, stop })
  }
  const files = join(dir, 'files')
  mkdirSync(files)
  const { pid, firstLine, stop } = await startPeer('smtp-server-child.ts', [files])
  contestants.push({ name: 'smtp-server + fsynced file', port: Number(firstLine), pid, stop })
  if (hasPostfix && process.getuid?.() === 0) {
    contestants.push({ name: 'postfix', port: POSTFIX_PORT, ...startPostfix(join(dir), POSTFIX_PORT) })
  } else console.log('postfix is not installed, or this is not root: left out')
}

async function makeAged(dir: string, count: number): Promise<void> {
  const clock = createMovedClock()
  const store = await lmdbStore({ dir, clock, reserveOctets: 0 })
  try {
    const account = await store.createAccount('bench')
    const filled = await fill(store, account, 'INBOX', count)
    const erased = await age(store, account, 'INBOX', clock)
    console.log(`aged: ${count} messages stored in ${(filled / 1000).toFixed(1)} s, ${erased.messages} at random erased in ${(erased.ms / 1000).toFixed(1)} s`)
  } finally {
    await store.close()
  }
}
