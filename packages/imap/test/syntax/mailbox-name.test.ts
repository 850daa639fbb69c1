import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalMailboxName, decodeMailboxName, encodeMailboxName } from '../../src/syntax/mailbox-name.ts'

const PAIRS: readonly (readonly [name: string, wire: string])[] = [
  ['', ''],
  ['INBOX', 'INBOX'],
  ['Work/Plans 2023', 'Work/Plans 2023'],
  ['&', '&-'],
  ['R&D & more', 'R&-D &- more'],
  ['Entwürfe', 'Entw&APw-rfe'],
  // RFC 3501 §5.1.3
  ['~peter/mail/台北/日本語', '~peter/mail/&U,BTFw-/&ZeVnLIqe-'],
  ['Hi Mom ☺!', 'Hi Mom &Jjo-!'],
  ['😀', '&2D3eAA-'],
  ['a😀&😀b', 'a&2D3eAA-&-&2D3eAA-b'],
  ['\t', '&AAk-'],
  ['~{}|%*"\\', '~{}|%*"\\'],
]

describe('mailbox names', () => {
  test.each(PAIRS)('%j is %j on the wire', (name, wire) => {
    expect(encodeMailboxName(name)).toBe(wire)
    expect(decodeMailboxName(wire)).toBe(name)
  })

  const MALFORMED: readonly (readonly [wire: string, why: string])[] = [
    ['a&b', 'no end of the shift'],
    ['&U,BTFw', 'no end of the shift'],
    ['&Jjo!', 'no end of the shift'],
    ['&U BTFw-', 'no letter of base64'],
    ['&U/BTFw-', 'the other base64'],
    ['&Jjo=-', 'padding'],
    ['&AGE-', 'what could stand for itself'],
    ['&ACY-', 'an ampersand in base64'],
    ['&U,BTFx-', 'bits left over'],
    ['&JjoA-', 'a letter left over'],
    ['&Jj-', 'too few bits'],
    ['&Jjo-&Jjo-', 'two shifts in a row'],
    ['&2D0-', 'half a pair'],
    ['&3gDYPQ-', 'a pair turned round'],
    ['a\tb', 'a control character'],
    ['\u007f', 'a control character'],
    ['ü', 'an octet over 0x7f'],
  ]
  test.each(MALFORMED)('%j is malformed: %s', (wire) => {
    expect(decodeMailboxName(wire)).toBeUndefined()
  })

  test('every name survives the wire, in US-ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const wire = encodeMailboxName(name)
        expect(wire).toMatch(/^[ -~]*$/)
        expect(decodeMailboxName(wire)).toBe(name)
      }),
    )
  })

  test('what can be read is written the one way it was', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'&-AJjo2D3e,U/ab') })
    fc.assert(
      fc.property(letters, (wire) => {
        const name = decodeMailboxName(wire)
        if (name !== undefined) expect(encodeMailboxName(name)).toBe(wire)
      }),
      { numRuns: 2000 },
    )
  })

  test('INBOX is INBOX in any case, as a whole name only', () => {
    expect(['inbox', 'InBoX', 'inbox/a', 'inboxes', 'a/inbox'].map(canonicalMailboxName)).toEqual([
      'INBOX',
      'INBOX',
      'inbox/a',
      'inboxes',
      'a/inbox',
    ])
    expect(canonicalMailboxName('u\u0308')).toBe('ü')
  })
})
