import { WireSyntaxError } from '@postern/core/conversation'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBase64, encodeBase64 } from '../../src/syntax/base64.ts'
import { CommandReader, type LineQuirks } from '../../src/syntax/command-line.ts'
import { parseHeloName } from '../../src/syntax/helo-name.ts'
import { formatParameter, parseParameter } from '../../src/syntax/parameters.ts'
import { decodeXtext, encodeXtext } from '../../src/syntax/xtext.ts'

const strict: LineQuirks = { spaceAfterColon: false, trailingSpace: false }
const lenient: LineQuirks = { spaceAfterColon: true, trailingSpace: true }
const reader = (text: string, quirks = strict): CommandReader => new CommandReader(Buffer.from(text, 'latin1'), quirks)

describe('CommandReader', () => {
  test('reads MAIL from left to right', () => {
    const line = reader('mail FROM:<"a>b c"@example.com> SIZE=5 BODY=8BITMIME smtputf8')
    expect(line.verb()).toBe('MAIL')
    line.space()
    line.keyword('FROM:')
    expect(Buffer.from(line.path()).toString()).toBe('<"a>b c"@example.com>')
    expect(line.parameters()).toEqual([{ keyword: 'SIZE', value: '5' }, { keyword: 'BODY', value: '8BITMIME' }, { keyword: 'SMTPUTF8' }])
    line.end()
  })

  const ends: readonly (readonly [text: string, quirks: LineQuirks, isEnd: boolean])[] = [
    ['NOOP', strict, true],
    ['NOOP ', strict, false],
    ['NOOP ', lenient, true],
    ['NOOP    ', lenient, true],
    ['NOOP  x', lenient, false],
  ]
  for (const [text, quirks, isEnd] of ends) {
    test(`"${text}" ${isEnd ? 'is' : 'is not'} at its end when ${quirks === strict ? 'strict' : 'lenient'}`, () => {
      const line = reader(text, quirks)
      line.verb()
      if (isEnd) expect(() => line.end()).not.toThrow()
      else expect(() => line.end()).toThrow(expect.objectContaining({ name: 'WireSyntaxError', code: 'end-of-line', offset: 4 }))
    })
  }

  test('a space after the colon only where it is let pass', () => {
    const open = (quirks: LineQuirks): Uint8Array => {
      const line = reader('FROM: <>', quirks)
      line.keyword('FROM:')
      return line.path()
    }
    expect(Buffer.from(open(lenient)).toString()).toBe('<>')
    expect(() => open(strict)).toThrow(WireSyntaxError)
  })

  test('never throws past its error', () => {
    const octets = fc.array(fc.constantFrom(...Buffer.from(' <>"\\@:=.aA9-\xc3\xbc\xff', 'latin1')), { maxLength: 40 })
    fc.assert(
      fc.property(octets, fc.boolean(), (line, quirky) => {
        const read = new CommandReader(Uint8Array.from(line), quirky ? lenient : strict)
        try {
          read.verb()
          read.space()
          read.keyword('FROM:')
          read.path()
          read.parameters()
          read.end()
        } catch (error) {
          expect(error).toBeInstanceOf(WireSyntaxError)
        }
      }),
    )
  })
})

describe('parameters', () => {
  const bad = ['', '=', '=a', '-a', 'a=', 'a=b=c', 'a b', 'ä', 'a=\u0085', 'a_b=1']
  for (const text of bad) {
    test(`"${text}" is none`, () => {
      expect(() => parseParameter(text, 7)).toThrow(expect.objectContaining({ code: 'parameter', offset: 7 }))
    })
  }

  test('what is written reads back', () => {
    const keyword = fc.stringMatching(/^[A-Z0-9][A-Z0-9-]{0,10}$/)
    const value = fc.stringMatching(/^[!-<>-~äß]{1,20}$/)
    fc.assert(
      fc.property(keyword, fc.option(value, { nil: undefined }), (keyword, value) => {
        const parameter = value === undefined ? { keyword } : { keyword, value }
        expect(parseParameter(formatParameter(parameter), 0)).toEqual(parameter)
      }),
    )
  })
})

describe('xtext', () => {
  test('any octets are written and read back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (octets) => {
        const text = encodeXtext(octets)
        expect(text).toMatch(/^[!-~]*$/)
        expect(decodeXtext(text)).toEqual(octets)
      }),
    )
  })

  for (const text of ['+', '+3', 'a+', '+3g', '+3d', '=', 'a b', '\u00fc', '\0']) {
    test(`"${text}" is none`, () => {
      expect(() => decodeXtext(text)).toThrow(expect.objectContaining({ name: 'WireSyntaxError', code: 'xtext' }))
    })
  }
})

describe('base64', () => {
  test('any octets are written and read back', () => {
    fc.assert(fc.property(fc.uint8Array(), (octets) => void expect(decodeBase64(encodeBase64(octets))).toEqual(octets)))
  })

  for (const text of ['a', 'ab', 'abc', '=abc', 'ab=c', 'abc=abc=', 'ab==ab==', '====', 'ab cd', 'ab-_', '*']) {
    test(`"${text}" is none`, () => {
      // RFC 4954 §4: pads anywhere but at the end, and characters outside the alphabet, are errors.
      expect(decodeBase64(text)).toBeUndefined()
    })
  }
})

describe('parseHeloName', () => {
  for (const name of ['a', 'mail.example.com', 'xn--bcher-kva.example', 'WIN_PC', '[192.0.2.1]', '[IPv6:::1]', '192.0.2.1']) {
    test(`takes ${name}`, () => {
      expect(parseHeloName(name)).toBe(name)
    })
  }
  for (const name of ['', '.', 'a..b', 'a.', '-a', 'a@b', 'b\u00fccher.example', '[', '[]', '[1.2.3]', '[::1]', '[IPv6:1.2.3.4]', '[x:y]', 'a'.repeat(64), '1.2.3.400']) {
    test(`refuses "${name}"`, () => {
      expect(() => parseHeloName(name)).toThrow(expect.objectContaining({ name: 'WireSyntaxError', code: 'helo-name' }))
    })
  }
})
