import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { foldCase } from '../../src/search/fold.ts'

/** Two lower case letters, and an i that toLowerCase gives a dot, where simple folding has one letter. */
const EXCEPTIONS = new Set(['\u0130', '\u1e9e'])

describe('case folding', () => {
  test.each([
    ['Straße', 'straße'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ὀδός', 'ὀδόσ'],
    ['ſpäter', 'später'],
    ['ΜΆΙΟΣ', 'μάιοσ'],
    ['İstanbul', 'i\u0307stanbul'],
    ['ПРИВЕТ', 'привет'],
    ['𐐀', '𐐨'],
    ['日本語 No. 1', '日本語 no. 1'],
  ])('%s', (text, folded) => {
    expect(foldCase(text)).toBe(folded)
  })

  test('two letters fold alike when Unicode folds them alike', () => {
    // The engine's regular expressions know simple folding.
    for (let code = 0; code <= 0x1e943; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const letter = String.fromCodePoint(code)
      const folded = foldCase(letter)
      if (folded === letter || EXCEPTIONS.has(letter)) continue
      const isSame = new RegExp(`^${letter}$`, 'iu').test(folded)
      if (!isSame) expect([code.toString(16), folded]).toBe('a letter that folds to another')
    }
  })

  test('no two cases of a letter are left apart', () => {
    for (let code = 0; code <= 0x1e943; code += 1) {
      if (code >= 0xd800 && code <= 0xdfff) continue
      const letter = String.fromCodePoint(code)
      const others = [letter.toUpperCase(), letter.toLowerCase()]
      for (const other of others) {
        if (other === letter || !isSimple(letter, other)) continue
        if (foldCase(other) !== foldCase(letter)) expect([code.toString(16), other]).toBe('folded alike')
      }
    }
  })

  test('folding twice changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(foldCase(foldCase(text))).toBe(foldCase(text))
      }),
    )
  })
})

function isSimple(letter: string, other: string): boolean {
  if (letter === '(' || letter === ')' || /[\\^$.*+?[\]{}|/]/.test(letter)) return false
  return new RegExp(`^${letter}$`, 'iu').test(other)
}
