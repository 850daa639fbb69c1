import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/engine/index.ts'
import { startImapWorld } from '../imap-harness.ts'
import { cutInto, playConversation, type Played } from '../run-conversation.ts'

const GIVEN = ['create Work', 'append INBOX 3 (\\Seen work)', 'append INBOX 1 (\\Deleted)', 'subscribe Work']

async function play(octets: Uint8Array, lengths: readonly number[], given: readonly string[] = GIVEN): Promise<Played> {
  const world = await startImapWorld({ given, limits: { badCommands: 5 } })
  try {
    const played = await playConversation(world.engine, cutInto(octets, lengths))
    expect(world.faults).toEqual([])
    return played
  } finally {
    await world.close?.()
  }
}

const WORDS = [
  ['a ', 'b2 ', '* ', '+ ', ' ', '\r\n', '\r\n', '\n', '\r', '\0', '(', ')', '"', '\\', '{3}\r\n', '{5+}\r\n', '~{2+}\r\n', '{70000+}\r\n'],
  ['LOGIN ann secret\r\n', 'AUTHENTICATE PLAIN\r\n', 'AGFubgBzZWNyZXQ=', 'SELECT INBOX\r\n', 'EXAMINE ', 'INBOX', 'IDLE\r\n', 'DONE\r\n'],
  ['CREATE ', 'RENAME ', 'DELETE ', 'Work', '&AGE-', '&Jjo-', 'LIST ', '"" ', '%', '*', 'LSUB ', 'STATUS ', '(MESSAGES UNSEEN)', 'RETURN '],
  ['UID ', 'FETCH ', '1:*', '2,4', 'FLAGS', 'BODY[]', 'BODY.PEEK[HEADER.FIELDS (Subject)]<0.9>', 'STORE ', '+FLAGS ', '(\\Seen x)', '\\Recent'],
  ['SEARCH ', 'ALL', 'NOT ', 'OR ', 'TEXT ', 'SINCE 1-Feb-1994', 'COPY ', 'MOVE ', 'EXPUNGE', 'APPEND INBOX ', 'CLOSE', 'NOOP', 'LOGOUT'],
].flat()

const word = fc.constantFrom(...WORDS).map((text) => Buffer.from(text))
const octets = fc.uint8Array({ maxLength: 9 })
const words = fc.array(fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: octets }), { maxLength: 40 })
const starts = fc.constantFrom('', 'a NOOP\r\n', 'a LOGIN ann secret\r\n', 'a LOGIN ann secret\r\na SELECT INBOX\r\n')
const talk = fc.tuple(starts, words).map(([start, rest]) => Buffer.concat([Buffer.from(start), ...rest]))
const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 })

describe('whatever a client sends', () => {
  test('nothing is thrown, one close comes, little is held, and cuts do not matter', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(talk, cuts, async (octets, lengths) => {
        const whole = await play(octets, [octets.length])
        const pieces = await play(octets, lengths)
        expect(pieces.output).toBe(whole.output)
        expect(pieces.closes).toEqual(whole.closes)
        expect(whole.closes).toHaveLength(1)
        expect(whole.maxBuffered).toBeLessThanOrEqual(octets.length)
      }),
      { numRuns: 300 },
    )
  })

  test('trap 4: every line of what is said ends as a line, and no status goes without text', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(talk, async (octets) => {
        const { output, closes } = await play(octets, [octets.length])
        if (closes[0]?.how === 'flushed') expect(output.endsWith('\r\n')).toBe(true)
        expect(output).not.toMatch(/(?:^|\r\n)\S+ (?:OK|NO|BAD|BYE) *(?:\[[^\]]*\] *)?\r\n/)
      }),
      { numRuns: 200 },
    )
  })

  const FLOODS: readonly (readonly [name: string, begin: string, again: string])[] = [
    ['a line without end', '', 'x'],
    ['a quoted string without end', 'a LOGIN "', '\\"'],
    ['literals without end', 'a LOGIN ', '{0+}\r\n'],
    ['a literal announced as gigabytes', 'a LOGIN {4294967295+}\r\n', 'x'],
    ['a literal of a command nobody knows', 'a NOOP\r\nb FROB {4294967295+}\r\n', 'x'],
    ['parentheses without end', 'a NOOP\r\nb ID ', '('],
    ['lines of nothing', 'a NOOP\r\n', '\r\n'],
  ]
  test.each(FLOODS)('%s: before login what is held stays small', async (_, begin, again) => {
    const flood = Buffer.from(begin + again.repeat(Math.ceil(300_000 / again.length)))
    const { closes, maxBuffered, leftOver } = await play(flood, [1000])
    expect(closes).toHaveLength(1)
    expect(closes[0]?.reason).toMatch(/limit|protocol/)
    expect(maxBuffered).toBeLessThan(DEFAULT_LIMITS.commandBeforeLogin.lineOctets + 1100)
    expect(leftOver).toBeGreaterThan(100_000)
  })

  test('a literal announced as large holds nothing before its octets come', async () => {
    const { maxBuffered } = await play(Buffer.from('a LOGIN {65536}\r\nabc'), [1000])
    expect(maxBuffered).toBeLessThan(100)
  })

  test('octets behind STARTTLS in the same piece break the connection off', async () => {
    const { output, closes } = await play(Buffer.from('a STARTTLS\r\nb LOGIN ann secret\r\n'), [1000], ['plain'])
    expect(output).not.toContain('a OK')
    expect(closes).toEqual([{ kind: 'close', how: 'now', reason: 'protocol' }])
  })
})
