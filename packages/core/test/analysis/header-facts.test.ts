import { readHeaderFacts } from '@postern/core/analysis'
import { addressKey, parseAddress } from '@postern/core/address'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const facts = (...lines: readonly string[]) => readHeaderFacts(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
const from = (...lines: readonly string[]): string | undefined => {
  const address = facts(...lines).from
  return address === undefined ? undefined : addressKey(address)
}

describe('readHeaderFacts', () => {
  test.each([
    [['From: Ann <ann@Example.org>'], 'ann@example.org'],
    [['from:ann@example.org'], 'ann@example.org'],
    [['From: "a, b"', ' <ann@example.org>'], 'ann@example.org'],
    [['From: "odd one"@example.org'], 'odd one@example.org'],
    [['From: ann@b\u00fccher.example'], 'ann@b\u00fccher.example'],
    [['From: ann@example.org, bob@example.org'], undefined],
    [['From: ann@example.org', 'From: bob@example.org'], undefined],
    [['From: ann@example.org', 'FROM : ann@example.org'], undefined],
    [['From: undisclosed:;'], undefined],
    [['From: ann'], undefined],
    [['From: <>'], undefined],
    [['From: ann@[192.0.2.1]'], undefined],
    [['Sender: ann@example.org'], undefined],
    [['From: ann@example.org (bob@example.com)'], 'ann@example.org'],
  ])('%j is from %s', (lines, expected) => {
    expect(from(...lines)).toBe(expected)
  })

  test('subject, identifier and hops', () => {
    const { subject, messageId, hops } = facts('Received: x', 'Delivered-To: y', 'RECEIVED: z', 'Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=', 'Message-ID: <a@b>', 'Subject: second')
    expect({ subject, messageId, hops }).toEqual({ subject: 'grüße', messageId: 'a@b', hops: 3 })
  })

  test('recipients of To and Cc without regard to case, not of Bcc', () => {
    const { names } = facts('To: Team: ADA@example.org, b@example.org;', 'Cc: c@example.org', 'Bcc: d@example.org')
    const named = ['ada@example.org', 'b@EXAMPLE.org', 'c@example.org', 'd@example.org'].map((text) => names(parseAddress(text, { utf8: false })))
    expect(named).toEqual([true, true, true, false])
  })

  test('fields in order, unfolded', () => {
    expect(facts('List-Id: a', '\tb', 'no field', 'X: y').fields()).toEqual([['List-Id', 'a\tb'], ['X', 'y']])
  })

  test('reads whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (octets) => {
        const { fields, names } = readHeaderFacts(octets)
        fields()
        names(parseAddress('a@b.example', { utf8: false }))
      }),
    )
  })
})
