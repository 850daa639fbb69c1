import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createTextFinder } from '../../src/search/text-finder.ts'

function find(needle: string, pieces: readonly string[]): boolean {
  const finder = createTextFinder(needle)
  for (const piece of pieces) finder.push(piece)
  return finder.found
}

function cut(text: string, lengths: readonly number[]): string[] {
  const pieces: string[] = []
  let at = 0
  for (const length of lengths) {
    pieces.push(text.slice(at, at + length))
    at += length
  }
  return [...pieces, text.slice(at)]
}

const few = fc.string({ unit: fc.constantFrom('a', 'b', 'ä'), maxLength: 30 })
const lengths = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 20 })

describe('finding text', () => {
  test('a short needle is found wherever the text is cut', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', 'ä'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(few, short, lengths, (text, needle, cuts) => {
        expect(find(needle, cut(text, cuts))).toBe(text.includes(needle))
      }),
    )
  })

  test('so is a long one', () => {
    const unit = fc.constantFrom('a'.repeat(120), 'b', 'a')
    const long = fc.string({ unit, minLength: 3, maxLength: 8 }).filter((needle) => needle.length > 250)
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 12 }), long, lengths, (text, needle, cuts) => {
        expect(find(needle, cut(text, cuts.map((length) => length * 60)))).toBe(text.includes(needle))
        expect(find(needle, cut(`${text}${needle}`, cuts))).toBe(true)
      }),
    )
  })

  test.each([1, 3, 300])('texts do not run into each other (needle of %i)', (length) => {
    const needle = 'ab'.repeat(length).slice(0, Math.max(2, length))
    const finder = createTextFinder(needle)
    finder.push(needle.slice(0, -1))
    finder.restart()
    expect(finder.push(needle.slice(-1))).toBe(false)
    expect(finder.push(needle)).toBe(true)
    finder.reset()
    expect(finder.found).toBe(false)
    expect(finder.push(needle.slice(1))).toBe(false)
  })

  test('the automaton steps on with the text, not with text times needle', () => {
    // Each step back is paid for by a step on: a needle made for stepping back takes no longer than another.
    const finder = createTextFinder(`b${'a'.repeat(100_000)}`)
    const other = createTextFinder(`${'a'.repeat(100_000)}b`)
    const text = 'a'.repeat(100_000)
    for (let piece = 0; piece < 20; piece += 1) {
      expect(finder.push(text)).toBe(false)
      expect(other.push(text)).toBe(false)
    }
    expect(other.push('b')).toBe(true)
  })
})
