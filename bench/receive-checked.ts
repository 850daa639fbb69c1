/**
 * Receiving with everything on: SPF, one DKIM signature of 2,048 bits, DMARC, reverse names, reputation over an account
 * with many judged messages, rulesets; beside Postfix, which looks at nothing. The account holds as many messages as
 * `--stored` and `--more` say, so that what a message costs can be compared.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flag, type AccountStore, type NewMessage } from '@postern/core/store'
import { lmdbStore } from 'postern'
import { fill, spoolMessage } from './aged-store.ts'
import { compete, type Contestant } from './contest.ts'
import { formatFigure, quantile } from './figures.ts'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { hasDnsmasq, startDnsmasq } from './peers/dnsmasq.ts'
import { portOf } from './peers/endpoints.ts'
import { hasPostfix, startPostfix } from './peers/postfix.ts'
import { createKey, factsOf, recordsFor } from './signed-mails.ts'
import { startSignedLoad } from './signed-load.ts'

const POSTFIX_PORT = 20_025
const DNS_PORT = 20_053
/** Messages stored by one change; judgements of no more are entered with them. */
const BATCH = 128

/** Options: `judged` messages of known senders, `stored` and `more` messages in all of the first and the second server's account (0: no second). */
export async function benchReceiveChecked(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { messages: 5_000, connections: 20, octets: 5_120, rounds: 3, judged: 100_000, stored: 100_000, more: 0 })
  if (!hasDnsmasq) throw new Error('Needs dnsmasq (Debian package dnsmasq-base)')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const keyFile = join(dir, 'key.pem')
  const pem = createKey()
  writeFileSync(keyFile, pem)
  const dns = await startDnsmasq(dir, DNS_PORT, recordsFor(pem))
  const load = startSignedLoad(keyFile, options.octets)
  const contestants: Contestant[] = []
  const latencies = new Map<string, number[]>()
  try {
    for (const stored of options.more > 0 ? [options.stored, options.more] : [options.stored]) {
      const home = join(dir, `postern-${stored}`)
      await prepare(home, Math.min(options.judged, stored), stored)
      const { pid, firstLine, stop } = await startPeer('checked-child.ts', [home, dns.address])
      contestants.push({ name: `postern, ${stored} stored`, port: portOf(firstLine, 'smtp'), pid, stop })
    }
    if (hasPostfix && process.getuid?.() === 0) contestants.push({ name: 'postfix without filters', port: POSTFIX_PORT, ...startPostfix(dir, POSTFIX_PORT) })
    else console.log('postfix is not installed, or this is not root: left out')
    await compete(
      {
        name: `receiving ${options.octets} octets over ${options.connections} connections, senders looked at`,
        unit: 'messages',
        bar: { against: 'postfix without filters', least: 1.5 },
        async run({ name, port }, round) {
          const count = round === 0 ? Math.ceil(options.messages / 5) : options.messages
          const done = await load.run({ port, messages: count, connections: options.connections })
          if (round > 0) latencies.set(name, [...(latencies.get(name) ?? []), ...done.latencies])
          return { count, seconds: done.seconds, clientLoad: done.processorSeconds / done.seconds }
        },
      },
      contestants,
      options.rounds,
    )
    for (const [name, all] of latencies) console.log(`  ${name}: from MAIL to the last reply p50 ${formatFigure(quantile(all, 0.5))}, p99 ${formatFigure(quantile(all, 0.99))} ms`)
  } finally {
    load.stop()
    for (const { stop } of contestants) await stop()
    await dns.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Senders are measured here, not words: what was judged is not to be learned while they are. */
async function takeAsLearned({ training }: AccountStore): Promise<void> {
  for (;;) {
    const { messages, upTo } = await training.waiting(1_000)
    if (messages.length === 0) return
    await training.settle(upTo, messages.map(({ emailId, counted }) => ({ emailId, before: counted, counted, keys: new Uint32Array(0) })), 1)
  }
}

/** An account whose owner judged many messages; the rest of what it holds was never judged. */
async function prepare(dir: string, judged: number, stored: number): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const store = await lmdbStore({ dir, reserveOctets: 0 })
  try {
    const account = await store.createAccount('bench')
    const now = Math.floor(Date.now() / 1_000)
    const started = performance.now()
    for (let done = 0; done < judged; done += BATCH) {
      const messages: NewMessage[] = []
      for (let n = done; n < Math.min(judged, done + BATCH); n += 1) {
        const isJunk = n % 10 === 9
        messages.push({ message: await spoolMessage(store, 1_000), flags: isJunk ? Flag.junk : Flag.notJunk, keywords: [], reception: factsOf(n, isJunk, now - 3_600) })
      }
      await account.append('INBOX', messages)
      for (const { message } of messages) message.release()
    }
    const judgedSeconds = (performance.now() - started) / 1000
    const filled = await fill(store, account, 'INBOX', stored - judged)
    await takeAsLearned(account)
    console.log(`${judged} judged messages stored in ${judgedSeconds.toFixed(1)} s, ${stored - judged} others in ${(filled / 1000).toFixed(1)} s`)
  } finally {
    await store.close()
  }
}
