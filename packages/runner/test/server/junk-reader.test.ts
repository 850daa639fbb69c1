/** Large messages are read in a thread of its own, and say the same there. */
import { silentLogger, type Logger } from '@postern/core/host'
import { createMemoryCorpus } from '@postern/junk/corpus'
import { createJunkFilter } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'
import { afterAll, expect, it } from 'vitest'
import { createJunkReader } from '../../src/server/junk-reader.ts'
import { MessageThread } from '../../src/server/message-thread.ts'

const warned: unknown[] = []
const logger: Logger = { ...silentLogger, warn: (...told: unknown[]) => void warned.push(told) }
const thread = new MessageThread({ logger })
const reader = createJunkReader(thread)
afterAll(() => thread.close())

function letter(octets: number): Uint8Array {
  const words = Array.from({ length: Math.ceil(octets / 8) }, (_, n) => `w${(Math.imul(n, 0x9e37_79b1) >>> 0).toString(36).slice(0, 5)}x `)
  return Buffer.from(`From: Ann <ann@example.com>\r\nSubject: long\r\n\r\n${words.join('')}`)
}

it.each([1_000, 300_000, 3_000_000])('keys of %d octets are those the filter reads', async (octets) => {
  const message = letter(octets)
  const before = Uint8Array.from(message)
  expect(Buffer.compare(Buffer.from((await reader.keys(message)).buffer), Buffer.from(readMessageKeys(message).buffer))).toBe(0)
  expect(Buffer.compare(message, before)).toBe(0)
})

it('reads for a verdict what the filter itself reads, large or small', async () => {
  const corpus = createMemoryCorpus()
  const filter = createJunkFilter({}, corpus)
  await filter.train(letter(2_000), 'spam')
  await filter.train(Buffer.from('Subject: minutes\r\n\r\nmeeting on tuesday\r\n'), 'ham')
  for (const octets of [2_000, 400_000]) {
    const { words, ...expected } = await filter.classify(letter(octets))
    expect(await filter.classifyWords(await reader.words(letter(octets)))).toMatchObject(expected)
    expect(words.length).toBeGreaterThan(0)
  }
  expect(warned).toEqual([])
})

it('lets the event loop go on meanwhile', async () => {
  const message = letter(3_500_000)
  await reader.keys(message)
  let turns = 0
  let isDone = false
  const turn = (): void => {
    turns += 1
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await Promise.all(Array.from({ length: 15 }, () => reader.keys(message)))
  isDone = true
  expect(turns).toBeGreaterThan(5)
})
