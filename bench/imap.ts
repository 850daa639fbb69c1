/** Reading and appending over IMAP: Postern beside Dovecot, the same client and the same mails. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImapClient } from './imap-client.ts'
import { corpusMails } from './mails.ts'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { hasDovecot, startDovecot } from './peers/dovecot.ts'

interface Contestant {
  readonly name: string
  readonly port: number
  readonly stop: () => void | Promise<void>
}

/** What is measured: a name, what a round does, and how many things it did. */
interface Discipline {
  readonly name: string
  readonly unit: string
  readonly run: (contestant: Contestant) => Promise<number>
}

const USER = 'bench'
const PASSWORD = 'bench-password'
const CONNECTIONS = 4

export async function benchImap(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { mails: 2_000, appends: 2_000, rounds: 3 })
  if (!hasDovecot || process.getuid?.() !== 0) throw new Error('Needs Dovecot (Debian package dovecot-imapd) and root')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const postern = await startPeer('postern-child.ts', [join(dir, 'postern')])
  const endpoints = JSON.parse(postern.firstLine) as readonly { readonly protocol: string; readonly port: number }[]
  const contestants: readonly Contestant[] = [
    { name: 'postern', port: endpoints.find(({ protocol }) => protocol === 'imap')?.port ?? 0, stop: () => postern.stop() },
    { name: 'dovecot', port: 20_143, stop: startDovecot(dir, 20_143) },
  ]
  try {
    await new Promise((resolve) => setTimeout(resolve, 500))
    const mails = corpusMails(options.mails)
    for (const { port } of contestants) await append(port, 'List', mails)
    console.log(`${options.mails} mails, ${(mails.reduce((sum, { length }) => sum + length, 0) / 1_048_576).toFixed(0)} MiB, in each`)
    for (const discipline of disciplines(options.mails, options.appends)) await compete(discipline, contestants, options.rounds)
  } finally {
    for (const { stop } of contestants) await stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

function disciplines(mails: number, appends: number): readonly Discipline[] {
  const appended = corpusMails(appends)
  const fetch = (name: string, command: string): Discipline => ({
    name,
    unit: 'messages',
    run: async ({ port }) => {
      await inMailbox(port, (client) => client.command(command))
      return mails
    },
  })
  return [
    fetch('listing', 'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)'),
    fetch('flags', 'UID FETCH 1:* (UID FLAGS)'),
    fetch('header fields', 'UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (Date From To Cc Subject Message-ID References)])'),
    fetch('bodies', 'UID FETCH 1:* BODY.PEEK[]'),
    fetch('search subject', 'UID SEARCH SUBJECT "re: "'),
    fetch('store on all', 'UID STORE 1:* +FLAGS.SILENT ($Bench)'),
    fetch('store off all', 'UID STORE 1:* -FLAGS.SILENT ($Bench)'),
    {
      name: `append, ${CONNECTIONS} connections`,
      unit: 'messages',
      run: async ({ port }) => {
        await append(port, 'Appended', appended)
        return appends
      },
    },
  ]
}

async function inMailbox(port: number, run: (client: ImapClient) => Promise<unknown>): Promise<void> {
  const client = await ImapClient.login(port, USER, PASSWORD)
  await client.command('SELECT List')
  await run(client)
  client.close()
}

async function append(port: number, mailbox: string, mails: readonly string[]): Promise<void> {
  const setUp = await ImapClient.login(port, USER, PASSWORD)
  await setUp.command(`CREATE ${mailbox}`).catch(() => undefined)
  setUp.close()
  let next = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = await ImapClient.login(port, USER, PASSWORD)
      for (let mail = mails[next++]; mail !== undefined; mail = mails[next++]) {
        await client.command(`APPEND ${mailbox} {${mail.length}+}\r\n${mail}`)
      }
      client.close()
    }),
  )
}

/** Contestants take turns; the first round warms up and is not counted. */
async function compete(discipline: Discipline, contestants: readonly Contestant[], rounds: number): Promise<void> {
  const rates = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const contestant of contestants) {
      const started = performance.now()
      const count = await discipline.run(contestant)
      if (round > 0) rates.get(contestant.name)?.push(count / ((performance.now() - started) / 1000))
    }
  }
  const [own, other] = contestants.map(({ name }) => median(rates.get(name) ?? []))
  console.log(`${discipline.name}: postern ${own?.toFixed(0)} ${discipline.unit}/s, dovecot ${other?.toFixed(0)}: ${((own ?? 0) / (other ?? 1)).toFixed(2)} ×`)
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
