/**
 * Receiving with the junk filter on beside receiving without it, from senders nobody knows: every message is classified,
 * and while the first ones come the filter still learns what its owner judged.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Flag, type AccountStore, type MailStore, type NewMessage, type SpooledMessage } from '@postern/core/store'
import { lmdbStore } from 'postern'
import { compete, type Contestant } from './contest.ts'
import { createMails } from './mails.ts'
import { numberOptions } from './options.ts'
import { startPeer } from './peers/child.ts'
import { hasDnsmasq, startDnsmasq } from './peers/dnsmasq.ts'
import { portOf } from './peers/endpoints.ts'
import { createKey, createSignedMails, recordsFor } from './signed-mails.ts'
import { startSignedLoad } from './signed-load.ts'

const DNS_PORT = 20_054
const BATCH = 64

/** Options: `learned` messages of ham and of spam that wait to be learned when the server starts. */
export async function benchReceiveFiltered(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { messages: 5_000, connections: 20, octets: 5_120, rounds: 3, learned: 1_500 })
  if (!hasDnsmasq) throw new Error('Needs dnsmasq (Debian package dnsmasq-base)')
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  const keyFile = join(dir, 'key.pem')
  const pem = createKey()
  writeFileSync(keyFile, pem)
  const dns = await startDnsmasq(dir, DNS_PORT, recordsFor(pem))
  const load = startSignedLoad(keyFile, options.octets)
  const contestants: Contestant[] = []
  try {
    for (const [name, filter] of [['with the filter', 'junk'], ['without', '']] as const) {
      const home = join(dir, `postern-${filter}`)
      await prepare(home, options.learned, createSignedMails(pem, options.octets))
      const { pid, firstLine, stop } = await startPeer('checked-child.ts', [home, dns.address, filter])
      contestants.push({ name, port: portOf(firstLine, 'smtp'), pid, stop })
    }
    await compete(
      {
        name: `receiving ${options.octets} octets over ${options.connections} connections from unknown senders`,
        unit: 'messages',
        bar: { against: 'without', least: 0.8 },
        async run({ port }, round) {
          const count = round === 0 ? Math.ceil(options.messages / 5) : options.messages
          const done = await load.run({ port, messages: count, connections: options.connections })
          return { count, seconds: done.seconds, clientLoad: done.processorSeconds / done.seconds }
        },
      },
      contestants,
      options.rounds,
    )
  } finally {
    load.stop()
    for (const { stop } of contestants) await stop()
    await dns.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Mail as the load sends it is ham here, public mail is spam: what comes has to be taken. */
async function prepare(dir: string, learned: number, hamOf: (number: number) => Promise<string>): Promise<void> {
  mkdirSync(dir, { recursive: true })
  const store = await lmdbStore({ dir, reserveOctets: 0 })
  try {
    const account = await store.createAccount('bench')
    const mails = createMails()
    await judge(account, learned, Flag.notJunk, async (n) => spoolText(store, await hamOf(n)))
    await judge(account, learned, Flag.junk, (n) => spoolText(store, mails(n)))
  } finally {
    await store.close()
  }
}

async function judge(account: AccountStore, count: number, flags: number, spool: (number: number) => Promise<SpooledMessage>): Promise<void> {
  for (let done = 0; done < count; done += BATCH) {
    const messages: NewMessage[] = []
    for (let n = done; n < Math.min(count, done + BATCH); n += 1) messages.push({ message: await spool(n), flags, keywords: [] })
    await account.append('INBOX', messages)
    for (const { message } of messages) message.release()
  }
}

async function spoolText(store: MailStore, text: string): Promise<SpooledMessage> {
  const spool = store.spool()
  await spool.write(Buffer.from(text, 'latin1'))
  return await spool.end()
}
