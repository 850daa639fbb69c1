/** What the thread for messages finds out about a sender is what the server itself finds out. */
import { generateKeyPairSync } from 'node:crypto'
import { parseReversePath } from '@postern/core/address'
import { readHeaderFacts, type MessageEvidence } from '@postern/core/analysis'
import { createMemoryResolver, createMemoryStore, type MemoryResolver } from '@postern/core/conformance'
import { silentLogger, type Logger } from '@postern/core/host'
import { signDkim } from '@postern/core/provenance'
import type { SpooledMessage } from '@postern/core/store'
import type { ReadWords } from '@postern/junk/filter'
import { readMessageWords } from '@postern/junk/words'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { answerLookUps, createEvidenceGatherer } from '../../src/server/evidence-gatherer.ts'
import { MessageThread } from '../../src/server/message-thread.ts'

const key = generateKeyPairSync('ed25519')
const dns = createMemoryResolver({
  'example.com': ['TXT v=spf1 ip4:192.0.2.7 -all'],
  'k._domainkey.example.com': [`TXT v=DKIM1; k=ed25519; p=${Buffer.from(key.publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('base64')}`],
  '_dmarc.example.com': ['TXT v=DMARC1; p=reject'],
  '7.2.0.192.in-addr.arpa': ['PTR mx.example.com'],
  'mx.example.com': ['A 192.0.2.7'],
})
const NOW_MS = Date.parse('2026-02-03T04:05:06Z')

const readings = new WeakMap<SpooledMessage, ReadWords>()
/** Words of the message gathered last. */
let lastRead: ReadWords | undefined

const threads: MessageThread[] = []
afterAll(() => Promise.all(threads.map((thread) => thread.close())))

function startThread(resolver: MemoryResolver, logger: Logger = silentLogger): MessageThread {
  const thread = new MessageThread({ logger })
  thread.serve('lookUp', answerLookUps(resolver))
  threads.push(thread)
  return thread
}

async function ready(thread: MessageThread): Promise<MessageThread> {
  for (let tries = 0; !thread.isReady; tries += 1) {
    if (tries === 1_000) throw new Error('The thread did not start')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return thread
}

async function gather(mail: string, from: string, thread: MessageThread | undefined, resolver = dns, words = false): Promise<Omit<MessageEvidence, 'header'>> {
  const spool = createMemoryStore().spool()
  await spool.write(Buffer.from(mail))
  const message = await spool.end()
  const header = await message.read(0, message.structure.root.bodyStart)
  const connection = { remoteAddress: '192.0.2.7', tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' } }
  const reception = {
    reversePath: parseReversePath(from, { utf8: true }),
    recipients: [],
    smtputf8: false,
    helo: 'mx.example.com',
    extended: true,
    // What belongs to whoever made it, and to no other thread.
    connection: { ...connection, socket: { write() {} } },
    id: 'r1',
    receivedAt: NOW_MS,
  }
  const gatherer = createEvidenceGatherer({ resolver, random: (count) => new Uint8Array(count), hostname: 'mail.example.org', thread, wantsWords: () => words, readings })
  const { header: facts, ...evidence } = await gatherer(message, header, readHeaderFacts(header), reception, { signal: new AbortController().signal })
  expect(facts.messageId).toBe('1@example.com')
  lastRead = readings.get(message)
  return evidence
}

async function signed(text: string): Promise<string> {
  const [header = '', body = ''] = text.split('\r\n\r\n')
  const plain = { header: Buffer.from(`${header}\r\n\r\n`), body: () => [Buffer.from(body)] }
  return Buffer.from(await signDkim(plain, [{ domain: 'example.com', selector: 'k', key: key.privateKey, fields: ['From'], seal: false }], NOW_MS / 1_000)).toString() + text
}

const LETTER = 'From: Ann <ann@example.com>\r\nMessage-ID: <1@example.com>\r\nSubject: Tuesday\r\n\r\nHello\r\n'

describe('the thread says the same', () => {
  let thread: MessageThread
  beforeAll(async () => {
    thread = await ready(startThread(dns))
  })

  it.each([
    ['of a signed message', () => signed(LETTER), '<ann@example.com>', { dmarc: { result: 'pass' }, summary: { spf: 'pass', dkim: [{ result: 'pass' }] } }],
    ['of one changed on its way', async () => `${await signed(LETTER)}More\r\n`, '<x@elsewhere.example>', { dmarc: { result: 'fail' }, summary: { dkim: [{ result: 'fail' }] } }],
    ['of one nobody signed', () => LETTER, '<>', { summary: { dkim: [], dmarc: 'fail' } }],
    ['of one that claims results of ours', () => `Authentication-Results: mail.example.org; dkim=pass\r\n${LETTER}`, '<ann@example.com>', { forgedFields: [{ from: 0 }] }],
    ['of an author abroad', () => LETTER.replace('ann@example.com', 'änne@bücher.example'), '<änne@bücher.example>', { sender: { from: { domain: { unicode: 'bücher.example' } } } }],
    ['of one without an author', () => LETTER.replace('From:', 'To:'), '<ann@example.com>', { sender: { from: undefined } }],
  ])('%s', async (_, mail, from, expected) => {
    const text = await mail()
    const there = await gather(text, from, thread)
    expect(there).toMatchObject(expected)
    expect(there).toEqual(await gather(text, from, undefined))
  })

  it('of names that can not be looked up for now', async () => {
    const failing = createMemoryResolver({})
    const other = await ready(startThread(failing))
    const fail = (): void => failing.failNext('example.com', 'SERVFAIL')
    fail()
    const there = await gather(LETTER, '<ann@example.com>', other, failing)
    fail()
    expect(there.mailFromSpf).toBe('temperror')
    expect(there).toEqual(await gather(LETTER, '<ann@example.com>', undefined, failing))
  })

  it('and reads the words in the same go when they are wanted', async () => {
    const text = await signed(LETTER)
    await gather(text, '<ann@example.com>', thread)
    expect(lastRead).toBeUndefined()
    await gather(text, '<ann@example.com>', thread, dns, true)
    const { nameOf: _, ...expected } = readMessageWords(Buffer.from(text))
    expect(lastRead).toEqual(expected)
  })

  it('and keeps what it has looked up', async () => {
    const asked = dns.asked.length
    await gather(await signed(LETTER), '<ann@example.com>', thread)
    expect(dns.asked.slice(asked)).toEqual([])
  })
})

it('the server looks itself while there is no thread, and when it was closed', async () => {
  const warned: unknown[] = []
  const thread = startThread(dns, { ...silentLogger, warn: (...told: unknown[]) => void warned.push(told) })
  const here = await gather(LETTER, '<ann@example.com>', undefined)
  expect(await gather(LETTER, '<ann@example.com>', thread)).toEqual(here)
  await ready(thread)
  await thread.close()
  expect(await gather(LETTER, '<ann@example.com>', thread)).toEqual(here)
  expect(warned).toEqual([])
})

it('the server looks itself when the thread hangs', async () => {
  const warned: unknown[] = []
  const thread = await ready(startThread(dns, { ...silentLogger, warn: (...told: unknown[]) => void warned.push(told) }))
  const here = await gather(LETTER, '<ann@example.com>', undefined)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const asked = thread.ask('keys', Buffer.from(LETTER), (copy) => copy)
    vi.advanceTimersByTime(120_000)
    expect(await asked).toEqual({ unanswered: 'no-thread' })
  } finally {
    vi.useRealTimers()
  }
  expect(warned).toMatchObject([[{ err: { message: 'No answer for two minutes' } }, expect.any(String)]])
  expect(thread.isReady).toBe(false)
  expect(await gather(LETTER, '<ann@example.com>', thread)).toEqual(here)
})

it('a look-up that fails in the server fails the message, not the thread', async () => {
  const broken = { ...createMemoryResolver({}), query: () => Promise.reject(new RangeError('a bug')) }
  const thread = await ready(startThread(broken as MemoryResolver))
  const there = await gather(LETTER, '<ann@example.com>', thread, broken as MemoryResolver).catch((error: unknown) => String(error))
  const here = await gather(LETTER, '<ann@example.com>', undefined, broken as MemoryResolver).catch((error: unknown) => String(error))
  expect({ there: String(there), isReady: thread.isReady }).toEqual({ there: String(here).replace('RangeError', 'Error'), isReady: true })
})
