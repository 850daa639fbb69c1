/** Reading, changing and appending over IMAP: Postern beside Dovecot, with the same client and the same mails. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compete, type Contestant, type Discipline, type Run } from './contest.ts'
import { startImapLoad, type ImapLoad, type Job, type JobDone } from './imap-load.ts'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { hasDovecot, startDovecot } from './peers/dovecot.ts'
import { portOf } from './peers/endpoints.ts'

const DOVECOT_PORT = 20_143
const LISTING = 'UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)'
const FIELDS = 'UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (Date From To Cc Subject Message-ID References)])'
const CONNECTIONS = 4

/** Options: `mails` of the small mailbox, `many` of the large one (0: none), `appends` in a round, `rounds` counted. */
export async function benchImap(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { mails: 2_000, many: 100_000, appends: 2_000, rounds: 5 })
  if (!hasDovecot || process.getuid?.() !== 0) throw new Error('Needs Dovecot (Debian package dovecot-imapd) and root')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const postern = await startPeer('postern-child.ts', [join(dir, 'postern')])
  const dovecot = await startDovecot(dir, DOVECOT_PORT)
  const contestants: readonly Contestant[] = [
    { name: 'postern', port: portOf(postern.firstLine, 'imap'), pid: postern.pid, stop: () => postern.stop() },
    { name: 'dovecot', port: DOVECOT_PORT, pid: dovecot.pid, stop: dovecot.stop },
  ]
  const load = startImapLoad()
  try {
    for (const discipline of appending(load, options.appends)) await compete(discipline, contestants, options.rounds)
    for (const [mailbox, count] of [['List', options.mails], ['Many', options.many]] as const) {
      if (count === 0) continue
      for (const { port } of contestants) {
        await load.run({ kind: 'append', port, mailbox, first: 0, count, connections: CONNECTIONS, inFlight: 8 })
      }
      console.log(`\nA mailbox of ${count} mails`)
      const rounds = count > 20_000 ? Math.min(3, options.rounds) : options.rounds
      for (const discipline of reading(load, mailbox, count)) await compete(discipline, contestants, rounds)
    }
  } finally {
    load.stop()
    for (const { stop } of contestants) await stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

function appending(load: ImapLoad, count: number): readonly Discipline[] {
  const append = (connections: number, inFlight: number): Discipline['run'] => async ({ port }, round) => {
    const job: Job = { kind: 'append', port, mailbox: 'Appended', first: round * count, count, connections, inFlight }
    return runOf(await load.run(job), count, false)
  }
  const bar = { against: 'dovecot', least: 1.5 }
  return [
    { name: `APPEND, ${CONNECTIONS} connections`, unit: 'messages', bar, run: append(CONNECTIONS, 1) },
    { name: 'APPEND, 1 connection', unit: 'messages', run: append(1, 1) },
    { name: 'APPEND, 20 connections', unit: 'messages', run: append(20, 1) },
  ]
}

function reading(load: ImapLoad, mailbox: string, count: number): readonly Discipline[] {
  // A small mailbox is read several times, so that a run takes longer than the clock's and the scheduler's whims.
  const times = Math.max(1, Math.round(10_000 / count))
  const commands = (name: string, texts: readonly string[]): Discipline => ({
    name,
    unit: 'messages',
    run: async ({ port }) => {
      const repeated = Array.from({ length: times }, () => texts).flat()
      return runOf(await load.run({ kind: 'commands', port, mailbox, commands: repeated }), count * repeated.length, true)
    },
  })
  const selects = count > 20_000 ? 5 : 20
  return [
    { ...commands('listing (flags, date, size, ENVELOPE, BODYSTRUCTURE)', [LISTING]), bar: { against: 'dovecot', least: 0.5 } },
    commands('flags', ['UID FETCH 1:* (UID FLAGS)']),
    commands('header fields', [FIELDS]),
    ...(count > 20_000 ? [] : [commands('whole messages', ['UID FETCH 1:* BODY.PEEK[]'])]),
    {
      name: 'SELECT',
      unit: 'mailboxes',
      run: async ({ port }) => runOf(await load.run({ kind: 'select', port, mailbox, times: selects }), selects, false),
    },
    commands('SEARCH UNSEEN', ['UID SEARCH UNSEEN']),
    commands('SEARCH SUBJECT', ['UID SEARCH SUBJECT "re: "']),
    ...(count > 20_000 ? [] : [commands('SEARCH TEXT', ['UID SEARCH TEXT "not to be found anywhere"'])]),
    commands('STORE of all, then back', ['UID STORE 1:* +FLAGS.SILENT (\\Flagged)', 'UID STORE 1:* -FLAGS.SILENT (\\Flagged)']),
    commands('STORE of all with a keyword, answered, then back', ['UID STORE 1:* +FLAGS ($Bench)', 'UID STORE 1:* -FLAGS ($Bench)']),
    {
      name: 'STORE of single messages, one after the other',
      unit: 'commands',
      run: async ({ port }, round) => {
        // Each round changes what the one before left.
        const mode = round % 2 === 0 ? '+' : '-'
        const stores = Array.from({ length: Math.min(500, count) }, (_, n) => `STORE ${n + 1} ${mode}FLAGS.SILENT (\\Answered)`)
        return runOf(await load.run({ kind: 'commands', port, mailbox, commands: stores }), stores.length, false)
      },
    },
  ]
}

function runOf({ seconds, octets, processorSeconds }: JobDone, count: number, hasOctets: boolean): Run {
  return { count, seconds, clientLoad: processorSeconds / seconds, ...(hasOctets ? { octets } : {}) }
}
