import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createListRecord } from '../../src/message/list-record.ts'
import { parseStructure } from '../../src/message/parts.ts'
import { isBody, isEnvelope, readImapData } from './imap-data.ts'
import { mail } from './outline.ts'

function listed(text: string): { fields: string; complete: boolean; ascii: boolean } {
  const octets = mail(text)
  const structure = parseStructure(octets)
  const { fields, complete, ascii } = createListRecord(octets.subarray(0, structure.root.bodyStart), structure)
  return { fields: Buffer.from(fields).toString('latin1').replaceAll('\r\n', '\n'), complete, ascii }
}

describe('what a message is listed with', () => {
  it('has the raw lines of the listed fields, in order, and these only', () => {
    const header = 'Received: x\nSUBJECT: a\n  b\nX-Other: c\nFrom: d\nsubject: second\nno field\n'
    expect(listed(`${header}\nTo: body\n`)).toEqual({
      fields: 'SUBJECT: a\n  b\nFrom: d\nsubject: second\n',
      complete: true,
      ascii: true,
    })
  })

  it('ends every line, also of a header that breaks off', () => {
    expect(listed('Subject: a\nFrom: b').fields).toBe('Subject: a\nFrom: b\n')
  })

  it('leaves out what does not fit into 3,500 octets, and says so', () => {
    const long = `To: ${'a'.repeat(3490)}\n`
    expect(listed(`From: b\n${long}Subject: c\n\n`)).toEqual({
      fields: 'From: b\nSubject: c\n',
      complete: false,
      ascii: false,
    })
    const fits = `To: ${'a'.repeat(3494)}\n`
    expect(listed(`${fits}\n`)).toMatchObject({ fields: fits, complete: true })
    expect(listed(`${fits.replace('a', 'aa')}\n`)).toMatchObject({ fields: '', complete: false })
  })

  it('has envelope and body structure ready to send', () => {
    const octets = mail('Subject: a\n\nb\n')
    const { envelope, bodyStructure } = createListRecord(octets, parseStructure(octets))
    expect(Buffer.from(envelope).toString()).toBe('(NIL "a" NIL NIL NIL NIL NIL NIL NIL NIL)')
    expect(Buffer.from(bodyStructure).toString()).toBe(
      '("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 3 1 NIL NIL NIL NIL)',
    )
  })

  const ascii: [text: string, ascii: boolean][] = [
    ['Subject: a', true],
    ['Subject: =?utf-8?q?=C3=BC?=', true],
    ['Subject: \xc3\xbc', false],
    ['X-Other: \xc3\xbc', true],
    ['Subject: a\rb', false],
    [`Subject: ${'a'.repeat(2000)}`, false],
    ["Content-Type: a/b; n*=utf-8''%c3%bc", false],
    ["Content-Type: a/b; n*=utf-8''%41", true],
  ]
  it.each(ascii)('says whether it may go to any client: %j', (field, expected) => {
    expect(listed(`${field}\n\n`).ascii).toBe(expected)
  })

  it('follows the grammar whatever the fields hold', () => {
    const names =
      'From,To,Subject,Content-Type,Content-ID,Content-Language,Content-Disposition,Content-MD5,Content-Transfer-Encoding'
    const types = ['Content-Type: multipart/mixed; boundary=b', 'Content-Type: message/rfc822']
    const name = fc.constantFrom(...names.split(','), ...types)
    const unit = fc.constantFrom(...'ab/;="\\()*0\'%,:<>@ \t\r\0\x80\xff\x7f', '\r\n ', '\r\n\r\n', '\n--b\r\n', '\r\n')
    const field = fc.tuple(name, fc.string({ unit, maxLength: 30 })).map(([given, value]) => `${given}: ${value}\r\n`)
    fc.assert(
      fc.property(fc.array(field, { maxLength: 12 }), (fields) => {
        const octets = Buffer.from(fields.join(''), 'latin1')
        const structure = parseStructure(octets)
        const record = createListRecord(octets.subarray(0, structure.root.bodyStart), structure)
        expect(isEnvelope(readImapData(record.envelope))).toBe(true)
        expect(isBody(readImapData(record.bodyStructure), true)).toBe(true)
        const ready = Buffer.concat([record.envelope, record.bodyStructure])
        expect(record.ascii).toBe(ready.every((octet) => octet < 0x80) && !/\{\d+\}\r\n/.test(ready.toString('latin1')))
      }),
      { numRuns: 2000 },
    )
  })
})
