import { Flag } from '@postern/core/store'
import { describe, expect, test } from 'vitest'
import { FlagText, flagSetOf } from '../../src/syntax/flag.ts'

const row = (flags: number, keywordBits = 0, wideKeywords?: readonly string[]) => ({
  flags,
  keywordBits,
  ...(wideKeywords === undefined ? {} : { wideKeywords }),
})

describe('flags', () => {
  test('names become bits and keywords, each once, without regard to case', () => {
    expect(flagSetOf(['\\SEEN', '\\seen', '$junk', 'Work', 'work', '$Custom', '__proto__'])).toEqual({
      flags: Flag.seen | Flag.junk,
      keywords: ['Work', '$Custom', '__proto__'],
    })
  })

  test('bits and keywords become names', () => {
    const text = new FlagText(['work', 'later'])
    expect(text.format(row(0), false)).toBe('()')
    expect(text.format(row(Flag.seen | Flag.mdnSent, 0b10), false)).toBe('(\\Seen $MDNSent later)')
    expect(text.format(row(Flag.seen, 0b11), true)).toBe('(\\Recent \\Seen work later)')
    expect(text.format(row(0, 1, ['far']), false)).toBe('(work far)')
  })

  test('a bit without a name is left out until it has one, also the highest', () => {
    const text = new FlagText(['work'])
    expect(text.knows(row(0, 0b11))).toBe(false)
    expect(text.format(row(0, 0b11), false)).toBe('(work)')
    text.keywords = Array.from({ length: 32 }, (_, n) => `k${n}`)
    expect(text.knows(row(0, 0b11))).toBe(true)
    expect(text.format(row(0, 0b11), false)).toBe('(k0 k1)')
    expect(text.format(row(0, 2 ** 31), false)).toBe('(k31)')
    expect(text.knows(row(0, 2 ** 31, ['k31']))).toBe(true)
    expect(text.knows(row(0, 2 ** 31, ['k32']))).toBe(false)
  })

  test('any number of combinations is told right', () => {
    const text = new FlagText(Array.from({ length: 32 }, (_, n) => `k${n}`))
    for (let bits = 0; bits < 10_000; bits += 1) {
      const names = text.format(row(bits & 1, bits), false)
      expect(names.split('k').length - 1).toBe(bits.toString(2).replaceAll('0', '').length)
    }
  })
})
