import { describe, expect, it } from 'vitest'
import { formatBodyStructure } from '../../src/message/body-structure.ts'
import { parseStructure } from '../../src/message/parts.ts'
import { isBody, readImapData } from './imap-data.ts'
import { mail } from './outline.ts'

const LEAF = '"TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT"'

describe('BODY and BODYSTRUCTURE', () => {
  const rows: [what: string, text: string, body: string, bodyStructure: string][] = [
    ['of text without MIME', 'Subject: a\n\none\ntwo\n', `(${LEAF} 10 2)`, `(${LEAF} 10 2 NIL NIL NIL NIL)`],
    [
      'of text with all there is',
      'Content-Type: Text/Html; charset=utf-8; Format=flowed\nContent-ID: <1@x>\nContent-Description: a "b"\nContent-Transfer-Encoding: Quoted-Printable\nContent-MD5: abc=\nContent-Disposition: inline; filename=a.html\nContent-Language: de, en\nContent-Location: http://x/\n\n=C3=BC\n',
      '("TEXT" "HTML" ("CHARSET" "utf-8" "FORMAT" "flowed") "<1@x>" "a \\"b\\"" "QUOTED-PRINTABLE" 8 1)',
      '("TEXT" "HTML" ("CHARSET" "utf-8" "FORMAT" "flowed") "<1@x>" "a \\"b\\"" "QUOTED-PRINTABLE" 8 1 "abc=" ("INLINE" ("FILENAME" "a.html")) ("de" "en") "http://x/")',
    ],
    [
      'of a multipart',
      'Content-Type: multipart/mixed; boundary=b\nContent-Language: de\nContent-Disposition: inline\n\n--b\n\nhi\n--b\nContent-Type: image/gif\nContent-Transfer-Encoding: base64\n\nR0lG\nR0lG\n--b--\n',
      `((${LEAF} 2 1)("IMAGE" "GIF" NIL NIL NIL "BASE64" 10) "MIXED")`,
      `((${LEAF} 2 1 NIL NIL NIL NIL)("IMAGE" "GIF" NIL NIL NIL "BASE64" 10 NIL NIL NIL NIL) "MIXED" ("BOUNDARY" "b") ("INLINE" NIL) "de" NIL)`,
    ],
    [
      'of a message in a message',
      'Content-Type: message/rfc822\n\nSubject: in\n\none\n',
      `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 20 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) (${LEAF} 5 1) 3)`,
      `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 20 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) (${LEAF} 5 1 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)`,
    ],
    [
      'of a message that is encoded, which the grammar can only tell as something else',
      'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nQQ==\n',
      '("APPLICATION" "OCTET-STREAM" NIL NIL NIL "BASE64" 6)',
      '("APPLICATION" "OCTET-STREAM" NIL NIL NIL "BASE64" 6 NIL NIL NIL NIL)',
    ],
    [
      'of other kinds of message',
      'Content-Type: message/delivery-status\n\nA: b\n',
      '("MESSAGE" "DELIVERY-STATUS" NIL NIL NIL "7BIT" 6)',
      '("MESSAGE" "DELIVERY-STATUS" NIL NIL NIL "7BIT" 6 NIL NIL NIL NIL)',
    ],
    [
      'of a multipart without parts',
      'Content-Type: multipart/mixed; boundary=b\n\na\n',
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1)',
      '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 3 1 NIL NIL NIL NIL)',
    ],
    [
      'with values empty, and in other character sets',
      'Content-Type: a/b; c=""; name*=utf-8\'\'%c3%bc\nContent-Description:\n\n',
      '("A" "B" ("C" "" "NAME" {2}\r\n\xc3\xbc) NIL "" "7BIT" 0)',
      '("A" "B" ("C" "" "NAME" {2}\r\n\xc3\xbc) NIL "" "7BIT" 0 NIL NIL NIL NIL)',
    ],
  ]
  it.each(rows)('%s', (_, text, body, bodyStructure) => {
    const { root } = parseStructure(mail(text))
    const written = [false, true].map((extended) => formatBodyStructure(root, { extended }))
    expect(written.map((octets) => Buffer.from(octets).toString('latin1'))).toEqual([body, bodyStructure])
    expect(written.map((octets, index) => isBody(readImapData(octets), index === 1))).toEqual([true, true])
  })

  it('of 100 levels of messages and of 10,000 parts', () => {
    const deep = parseStructure(mail('Content-Type: message/rfc822\n\n'.repeat(200)))
    expect(isBody(readImapData(formatBodyStructure(deep.root, { extended: true })), true)).toBe(true)
    const wide = parseStructure(mail(`Content-Type: multipart/mixed; boundary=b\n\n${'--b\n\n'.repeat(20_000)}`))
    const body = readImapData(formatBodyStructure(wide.root, { extended: false }))
    expect(body).toHaveLength(10_000)
  })
})
