import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileListPattern } from '../../src/commands/list-pattern.ts'

describe('patterns of LIST', () => {
  const ROWS: readonly (readonly [pattern: string, matching: readonly string[], others: readonly string[]])[] = [
    ['*', ['a', 'a/b', 'INBOX'], []],
    ['%', ['a', 'INBOX'], ['a/b', '/']],
    ['a/%', ['a/b', 'a/'], ['a', 'a/b/c', 'b/a/c']],
    ['%/%', ['a/b'], ['a', 'a/b/c']],
    ['*/c', ['a/c', 'a/b/c', '/c'], ['c', 'a/cc']],
    ['a*z', ['az', 'a/b/z', 'azz'], ['a', 'z', 'azb']],
    ['a%z', ['az', 'abz', 'azz'], ['a/z', 'a']],
    ['*%', ['a/b', ''], []],
    ['%*%', ['a/b', ''], []],
    ['%a%a%', ['aa', 'xaxax'], ['a', 'a/a']],
    ['inBOX', ['INBOX'], ['inbox', 'INBOX/a']],
    ['in%', ['INBOX', 'in', 'inner'], ['INNER']],
    ['INBOX/x', ['INBOX/x'], ['inbox/x']],
    ['', [''], ['a']],
    ['a.b', ['a.b'], ['axb']],
  ]
  test.each(ROWS)('%j', (pattern, matching, others) => {
    const matches = compileListPattern(pattern)
    expect(matching.filter((name) => matches?.(name) !== true)).toEqual([])
    expect(others.filter((name) => matches?.(name) === true)).toEqual([])
  })

  test('finds what a regular expression finds', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab/%*'), maxLength: 8 })
    const name = fc.string({ unit: fc.constantFrom(...'ab/'), maxLength: 10 })
    fc.assert(
      fc.property(text, name, (pattern, name) => {
        const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')}$`)
        expect(compileListPattern(pattern)?.(name)).toBe(expression.test(name))
      }),
      { numRuns: 2000 },
    )
  })

  test('has a limit of wildcards, and runs of them count as one', () => {
    expect(compileListPattern('%a'.repeat(32))).toBeDefined()
    expect(compileListPattern('%a'.repeat(33))).toBeUndefined()
    expect(compileListPattern('%*'.repeat(1000))?.('a/b')).toBe(true)
  })
})
