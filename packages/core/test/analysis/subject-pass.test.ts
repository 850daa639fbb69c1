import { checkSubjectPass, createSubjectPass } from '@postern/core/analysis'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const KEY = Buffer.from('a key of sixteen')
const NOW = 1_700_000_000
const HALF_DAY = 43_200
const FROM = 'ann@example.org'
const token = createSubjectPass(KEY, FROM, NOW)

const ROWS: readonly (readonly [what: string, subject: string, result: string, key?: Uint8Array, from?: string, now?: number])[] = [
  ['anywhere in the subject', `Re: hello ${token} again`, 'pass'],
  ['at the end of its period', token, 'pass', KEY, FROM, NOW + HALF_DAY - 256],
  ['after its period', token, 'expired', KEY, FROM, NOW + HALF_DAY + 256],
  ['none', 'hello', 'absent'],
  ['of another key', token, 'forged', Buffer.from('another key of16')],
  ['of another sender', token, 'forged', KEY, 'bob@example.org'],
  ['with its time changed', token.replace(/pass:..../, 'pass:AAAA'), 'forged'],
  ['of another version', token.replace('pass:A', 'pass:Q'), 'malformed'],
  ['cut', token.slice(0, -3), 'malformed'],
  ['too long', token.replace(')', 'A)'), 'malformed'],
  ['only the first counts', `(pass:x) ${token}`, 'malformed'],
]

test.each(ROWS)('%s', (...row) => {
  const [, subject, result, key = KEY, from = FROM, now = NOW] = row as unknown as (typeof ROWS)[number]
  expect(checkSubjectPass(subject, key, from, now, HALF_DAY)).toBe(result)
})

test('every token passes for its own key, sender and time', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), fc.string(), fc.integer({ min: 0, max: 2 ** 33 }), (key, from, now) => {
      expect(checkSubjectPass(createSubjectPass(key, from, now), key, from, now, 256)).toBe('pass')
    }),
  )
})

test('any subject gets an answer', () => {
  fc.assert(fc.property(fc.string(), (text) => void checkSubjectPass(`(pass:${text})`, KEY, FROM, NOW, HALF_DAY)))
})
