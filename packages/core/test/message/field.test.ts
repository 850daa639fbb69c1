import { describe, expect, it, test } from 'vitest'
import { type AddressText, decodeAddressList, decodeUnstructured } from '../../src/message/index.ts'
import { octetsOf } from './octets.ts'

describe('field values as text', () => {
  test.each([
    [' Hello \r\n world ', 'Hello  world'],
    ['\tHello\r\n\tworld', 'Hello\tworld'],
    ['=?utf-8?q?a?=\r\n =?utf-8?q?b?= c', 'ab c'],
    ['', ''],
    ['\r\n', ''],
  ])('%j is %j', (value, text) => {
    expect(decodeUnstructured(octetsOf(value))).toBe(text)
  })

  test.each<[string, AddressText[]]>([
    ['=?utf-8?q?Evil=2C_=3Ca=40b=3E?= <c@d>', [{ kind: 'mailbox', name: 'Evil, <a@b>', address: 'c@d' }]],
    ['=?utf-8?q?G=3A?=: a@b;', [{ kind: 'group-start', name: 'G:' }, { kind: 'mailbox', name: undefined, address: 'a@b' }, { kind: 'group-end' }]],
    ['"=?utf-8?q?=C3=A9?=" <c@d>', [{ kind: 'mailbox', name: 'é', address: 'c@d' }]],
    ['=?utf-8?q?a?=@=?utf-8?q?b?=', [{ kind: 'mailbox', name: undefined, address: '=?utf-8?q?a?=@=?utf-8?q?b?=' }]],
    ['root', [{ kind: 'mailbox', name: undefined, address: 'root' }]],
  ])('%j is cut before it is decoded', (value, entries) => {
    expect(decodeAddressList(octetsOf(value))).toEqual(entries)
  })

  it('takes names that are not UTF-8', () => {
    expect(decodeAddressList(Uint8Array.from(Buffer.from('"J\xfcrgen" <a@b>', 'latin1')))).toEqual([{ kind: 'mailbox', name: 'Jürgen', address: 'a@b' }])
  })
})
