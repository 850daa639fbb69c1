import { describe, expect, it } from 'vitest'
import { formatEnvelope } from '../../src/message/envelope.ts'
import type { EnvelopeFields } from '../../src/message/structure.ts'

const envelope = (fields: Partial<Record<keyof EnvelopeFields, string>>): string =>
  Buffer.from(
    formatEnvelope(
      Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, Buffer.from(value, 'latin1')])),
    ),
  ).toString('latin1')

const A = '((NIL NIL "a" "x.org"))'

describe('ENVELOPE', () => {
  const rows: [what: string, fields: Partial<Record<keyof EnvelopeFields, string>>, envelope: string][] = [
    ['of nothing', {}, '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)'],
    [
      'tells empty fields as empty',
      { date: '', subject: '', inReplyTo: '', messageId: '' },
      '("" "" NIL NIL NIL NIL NIL NIL "" "")',
    ],
    [
      'tells fields without addresses as NIL',
      { from: '', to: ' , ', cc: '', bcc: '' },
      '(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)',
    ],
    [
      'of RFC 9051 §8, as an example',
      {
        date: 'Wed, 17 Jul 1996 02:23:25 -0700 (PDT)',
        subject: 'IMAP4rev2 WG mtg summary and minutes',
        from: 'Terry Gray <gray@cac.washington.edu>',
        sender: 'Terry Gray <gray@cac.washington.edu>',
        replyTo: 'Terry Gray <gray@cac.washington.edu>',
        to: 'imap@cac.washington.edu',
        cc: 'minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>',
        messageId: '<B27397-0100000@cac.washington.edu>',
      },
      '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes"' +
        ' (("Terry Gray" NIL "gray" "cac.washington.edu"))'.repeat(3) +
        ' ((NIL NIL "imap" "cac.washington.edu"))' +
        ' ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL' +
        ' "<B27397-0100000@cac.washington.edu>")',
    ],
    ['takes sender and reply-to from from', { from: 'a@x.org' }, `(NIL NIL ${A} ${A} ${A} NIL NIL NIL NIL NIL)`],
    [
      'also when they are empty',
      { from: 'a@x.org', sender: '', replyTo: ' ' },
      `(NIL NIL ${A} ${A} ${A} NIL NIL NIL NIL NIL)`,
    ],
    [
      'but not when they are there',
      { from: 'a@x.org', sender: 'b@y' },
      `(NIL NIL ${A} ((NIL NIL "b" "y")) ${A} NIL NIL NIL NIL NIL)`,
    ],
    [
      'marks groups with hosts of NIL',
      { to: 'grp: a@x.org, B <b@y>;, c@z' },
      '(NIL NIL NIL NIL NIL ((NIL NIL "grp" NIL)(NIL NIL "a" "x.org")("B" NIL "b" "y")(NIL NIL NIL NIL)(NIL NIL "c" "z")) NIL NIL NIL NIL)',
    ],
    [
      'of an empty group',
      { to: 'undisclosed-recipients:;' },
      '(NIL NIL NIL NIL NIL ((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
    ],
    [
      'gives an address without domain an empty host, not NIL',
      { cc: 'root' },
      '(NIL NIL NIL NIL NIL NIL ((NIL NIL "root" "")) NIL NIL NIL)',
    ],
    [
      'leaves encoded words',
      { subject: '=?utf-8?q?=C3=BC?=', bcc: '=?utf-8?q?=C3=BC?= <a@x.org>' },
      '(NIL "=?utf-8?q?=C3=BC?=" NIL NIL NIL NIL NIL (("=?utf-8?q?=C3=BC?=" NIL "a" "x.org")) NIL NIL)',
    ],
    [
      'unquotes and quotes again',
      { from: '"a \\"b\\" \\\\" <"c d"@x>' },
      `(NIL NIL${' (("a \\"b\\" \\\\" NIL "c d" "x"))'.repeat(3)} NIL NIL NIL NIL NIL)`,
    ],
    [
      'writes what is not ASCII as a literal',
      { subject: '\xc3\xbc' },
      '(NIL {2}\r\n\xc3\xbc NIL NIL NIL NIL NIL NIL NIL NIL)',
    ],
    ['writes a bare CR as a literal', { subject: 'a\rb' }, '(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)'],
    ['has no NUL', { subject: 'a\0b', messageId: '\0\xff' }, '(NIL "a?b" NIL NIL NIL NIL NIL NIL NIL {2}\r\n?\xff)'],
    [
      'quotes up to 1,000 octets',
      { subject: 'a'.repeat(1000) },
      `(NIL "${'a'.repeat(1000)}" NIL NIL NIL NIL NIL NIL NIL NIL)`,
    ],
    [
      'and no more',
      { subject: 'a'.repeat(1001) },
      `(NIL {1001}\r\n${'a'.repeat(1001)} NIL NIL NIL NIL NIL NIL NIL NIL)`,
    ],
  ]
  it.each(rows)('%s', (_, fields, expected) => {
    expect(envelope(fields)).toBe(expected)
  })

  it('tells at most 1,000 addresses of a field', () => {
    expect(envelope({ to: 'a@x,'.repeat(5000) }).match(/\(NIL NIL "a" "x"\)/g)).toHaveLength(1000)
  })
})
