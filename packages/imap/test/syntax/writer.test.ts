import { describe, expect, test } from 'vitest'
import { ResponseWriter, responseLine } from '../../src/syntax/writer.ts'

const text = (pieces: readonly Uint8Array[]): string => Buffer.concat(pieces).toString('latin1')

describe('the writer', () => {
  test.each([
    ['', '""'],
    ['a b', '"a b"'],
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ['two\r\nlines', '{10}\r\ntwo\r\nlines'],
    ['nul\0', '{4}\r\nnul\0'],
    ['ü', '{2}\r\n\xc3\xbc'],
    ['x'.repeat(1001), `{1001}\r\n${'x'.repeat(1001)}`],
  ])('writes %j', (value, written) => {
    expect(text(new ResponseWriter('* ').string(value).line())).toBe(`* ${written}\r\n`)
  })

  test('absent is NIL, empty is not', () => {
    expect(text(new ResponseWriter().nstring(undefined).text(' ').nstring('').text(' ').nstring('NIL').line())).toBe('NIL "" "NIL"\r\n')
  })

  test.each(['a\r', 'a\nb', 'a\0', 'ü', '\x80'])('refuses %j as text', (bad) => {
    expect(() => new ResponseWriter(bad)).toThrow(RangeError)
    expect(() => responseLine(bad)).toThrow(RangeError)
  })
})
