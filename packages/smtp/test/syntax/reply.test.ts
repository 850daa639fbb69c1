import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatReply, type Reply } from '../../src/syntax/reply.ts'

const text = (reply: Reply): string => Buffer.from(formatReply(reply)).toString('latin1')

describe('formatReply', () => {
  const rows: readonly (readonly [name: string, reply: Reply, text: string])[] = [
    ['one line', { code: 250, enhanced: '2.1.0', lines: ['OK'] }, '250 2.1.0 OK\r\n'],
    ['no enhanced code', { code: 354, lines: ['Go on'] }, '354 Go on\r\n'],
    ['several lines, the enhanced code on each', { code: 550, enhanced: '5.1.1', lines: ['a', 'b'] }, '550-5.1.1 a\r\n550 5.1.1 b\r\n'],
    ['EHLO', { code: 250, lines: ['host', 'SIZE 1'] }, '250-host\r\n250 SIZE 1\r\n'],
    ['no text', { code: 334, lines: [''] }, '334 \r\n'],
    ['no lines', { code: 250, lines: [] }, '250 \r\n'],
    ['beyond ASCII', { code: 550, lines: ['naïve 😀\t\u001b'] }, '550 na?ve ???\r\n'],
    ['a challenge is never broken', { code: 334, lines: ['A'.repeat(2000)] }, `334 ${'A'.repeat(2000)}\r\n`],
    ['a hard break', { code: 250, lines: ['a'.repeat(510)] }, `250-${'a'.repeat(506)}\r\n250 aaaa\r\n`],
    ['a break at a space', { code: 250, lines: [`${'a'.repeat(450)} ${'b'.repeat(100)}`] }, `250-${'a'.repeat(450)}\r\n250 ${'b'.repeat(100)}\r\n`],
  ]
  for (const [name, reply, expected] of rows) {
    test(name, () => {
      expect(text(reply)).toBe(expected)
    })
  }

  test('of too many lines the last one is kept, where the id is', () => {
    const lines = text({ code: 550, lines: Array.from({ length: 1000 }, (_, index) => `line ${index}`) }).split('\r\n')
    expect(lines).toHaveLength(201)
    expect(lines.slice(198)).toEqual(['550-line 198', '550 line 999', ''])
  })

  const refused: readonly (readonly [name: string, reply: Reply])[] = [
    ['CR', { code: 250, lines: ['a\rb'] }],
    ['LF', { code: 250, lines: ['a', 'b\n'] }],
    ['NUL', { code: 250, lines: ['\0'] }],
    ['a code out of range', { code: 600, lines: [] }],
    ['a code that is none', { code: Number.NaN, lines: [] }],
    ['an enhanced code of another class', { code: 550, enhanced: '4.1.1', lines: [] }],
    ['an enhanced code that is none', { code: 550, enhanced: '5.1.1\r\n250', lines: [] }],
  ]
  for (const [name, reply] of refused) {
    test(`refuses ${name}`, () => {
      expect(() => formatReply(reply)).toThrow(expect.objectContaining({ code: 'REPLY_MALFORMED' }))
    })
  }

  test('every line is one of the reply, within 512 octets, and no text is lost', () => {
    const words = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', ' ', 'é'), maxLength: 1500 }), { maxLength: 4 })
    fc.assert(
      fc.property(words, fc.option(fc.constant('5.1.1'), { nil: undefined }), (lines, enhanced) => {
        const written = text(enhanced === undefined ? { code: 550, lines } : { code: 550, enhanced, lines })
        const parts = written.split('\r\n')
        expect(parts.pop()).toBe('')
        const pattern = enhanced === undefined ? /^550[- ]([ -~]*)$/ : /^550[- ]5\.1\.1 ([ -~]*)$/
        const bodies = parts.map((part, index) => {
          expect(part.length).toBeLessThanOrEqual(510)
          expect(part[3]).toBe(index === parts.length - 1 ? ' ' : '-')
          return (pattern.exec(part) as RegExpExecArray)[1]
        })
        const letters = (parts: readonly (string | undefined)[]): string => parts.join('').replaceAll(/[^ab]/g, '')
        expect(letters(bodies)).toBe(letters(lines))
      }),
    )
  })
})
