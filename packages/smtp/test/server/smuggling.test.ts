import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { converse, cut } from '../performer.ts'

const envelope = 'EHLO a.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n'
const smuggled = 'MAIL FROM:<admin@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n'

/** What somebody somewhere has taken for the end of a line, and what looks like one. */
const newlines = ['', '\r', '\n', '\r\n', '\r\r\n', '\n\r', '\r\0\n', '\r\n\0', '\0\r\n']
const dots = ['.', '..', '. ', '.\0', '\0.']

/** Threat 1: everything that has been taken for the end of a message, and the true one: CR LF dot CR LF. */
const ends = newlines.flatMap((before) => dots.flatMap((dot) => newlines.map((after) => `${before}${dot}${after}`)))
const genuine = /^[^\r\n]*\r\n\.\r\n/
/** A CR or an LF without the other. */
const bare = /\r(?!\n)|(?<!\r)\n/

/** However it is cut, at each octet of the end too. */
function cuttings(octets: Buffer, from: number, length: number): readonly (readonly Uint8Array[])[] {
  const at = Array.from({ length: length + 1 }, (_, index) => cut(octets, [from + index]))
  return [[octets], Array.from(octets, (octet) => Uint8Array.of(octet)), ...at]
}

describe('a second message behind what is no end of the first', () => {
  for (const end of ends.filter((end) => !genuine.test(end))) {
    test(JSON.stringify(end), async () => {
      const head = `${envelope}DATA\r\nSubject: x\r\n\r\none`
      const octets = Buffer.from(`${head}${end}${smuggled}\r\n.\r\nQUIT\r\n`, 'latin1')
      const isBare = bare.test(end)
      for (const pieces of cuttings(octets, head.length, end.length)) {
        const { text, messages, recipients, aborted } = await converse(pieces)
        // One message at most, nobody else gets it, and after a broken one nothing is read any more (threat 2).
        expect(recipients).toEqual(['<b@example.org>'])
        expect({ stored: messages.length, aborted }).toEqual(isBare ? { stored: 0, aborted: 1 } : { stored: 1, aborted: 0 })
        if (isBare) expect(text).toMatch(/354 .*\r\n554 5\.6\.0 .*\r\n<\{"kind":"close","how":"flushed","reason":"protocol"\}>$/)
        else expect(messages[0]).toContain('MAIL FROM:<admin@example.com>')
      }
    })
  }

  for (const end of ends.filter((end) => genuine.test(end))) {
    test(`${JSON.stringify(end)} has the end in it: what follows are commands`, async () => {
      const octets = Buffer.from(`${envelope}DATA\r\nSubject: x\r\n\r\none${end}${smuggled}\r\n.\r\nQUIT\r\n`, 'latin1')
      const { messages, recipients } = await converse([octets])
      expect(messages[0]).toBe(`Subject: x\r\n\r\none${end.slice(0, end.indexOf('.'))}`)
      // What stands between the end and MAIL decides whether MAIL is one.
      if (end.endsWith('\n.\r\n')) expect(recipients).toEqual(['<b@example.org>', '<victim@example.org>'])
    })
  }

  for (const end of ends) {
    test(`${JSON.stringify(end)} in a chunk: its length alone ends it`, async () => {
      const body = `Subject: x\r\n\r\none${end}${smuggled}\r\n.\r\n`
      const octets = Buffer.from(`${envelope}BDAT ${body.length} LAST\r\n${body}QUIT\r\n`, 'latin1')
      const isBare = bare.test(body)
      for (const pieces of cuttings(octets, octets.length - body.length - 6 + 17, end.length)) {
        const { text, messages, recipients } = await converse(pieces)
        expect(recipients).toEqual(['<b@example.org>'])
        expect(messages).toEqual(isBare ? [] : [body])
        expect(text).toMatch(isBare ? /554 5\.6\.0 .*\r\n221 2\.0\.0 Bye\r\n/ : /250 2\.0\.0 Stored\r\n221 2\.0\.0 Bye\r\n/)
      }
    })
  }
})

describe('commands that end in something else', () => {
  for (const end of newlines.filter((end) => bare.test(`${end}M`))) {
    test(JSON.stringify(end), async () => {
      const octets = Buffer.from(`${envelope}DATA${end}${smuggled}.\r\nQUIT\r\n`, 'latin1')
      for (const pieces of [[octets], Array.from(octets, (octet) => Uint8Array.of(octet))]) {
        const { recipients, messages } = await converse(pieces)
        expect(recipients).not.toContain('<victim@example.org>')
        expect(messages).toEqual([])
      }
    })
  }
})

describe('how a message is cut into chunks never matters', () => {
  const octet = fc.constantFrom('\r\n', '\r\n', '\r\n.\r\n', '.', 'a', 'NOOP', '\0', '\xff', '\r', '\n')
  const message = fc.array(octet, { maxLength: 30 }).map((parts) => parts.join(''))
  const cuts = fc.array(fc.nat(120), { maxLength: 8 })

  test('the same octets are stored, or none, and what follows is a command', async () => {
    await fc.assert(
      fc.asyncProperty(message, cuts, cuts, fc.boolean(), async (text, chunkCuts, wireCuts, slow) => {
        const chunks = cut(Buffer.from(text, 'latin1'), chunkCuts)
        const wire = chunks.flatMap((chunk, index) => [
          Buffer.from(`BDAT ${chunk.length}${index === chunks.length - 1 ? ' LAST' : ''}\r\n`),
          chunk,
        ])
        const octets = Buffer.concat([Buffer.from(envelope), ...wire, Buffer.from('QUIT\r\n')])
        const run = await converse(cut(octets, wireCuts), { slow })
        const isBare = bare.test(text)
        expect(run.messages).toEqual(isBare ? [] : [text])
        expect(run.aborted).toBe(isBare ? 1 : 0)
        expect(run.text).toMatch(/221 2\.0\.0 Bye\r\n<\{"kind":"close","how":"flushed","reason":"quit"\}>$/)
        // A message that DATA can carry is the same by DATA.
        if (isBare || !text.endsWith('\r\n')) return
        const stuffed = text.replaceAll(/^\./gm, '..')
        const byData = await converse([Buffer.from(`${envelope}DATA\r\n${stuffed}.\r\nQUIT\r\n`, 'latin1')])
        expect(byData.messages).toEqual(run.messages)
      }),
      { numRuns: 300 },
    )
  })
})
