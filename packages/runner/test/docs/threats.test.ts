/** Holds docs/threats.md to the tests it names: each file is there, and so are the words. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const packages = new URL('../../../', import.meta.url)
const text = readFileSync(new URL('../docs/threats.md', packages), 'utf8')

/** A file in backticks, and after it words in quotation marks, several with commas between. */
const NAMED = /`([\w/.-]+\.(?:test\.ts|md))`((?:,?\s+“[^”]+”)+)/g

const named = Array.from(text.matchAll(NAMED), ([, file = '', words = '']) =>
  Array.from(words.matchAll(/“([^”]+)”/g), ([, title = '']) => [file, title.replace(/\s+/g, ' ')] as const),
).flat()
const rows = text.split('\n').filter((line) => /^\| \d+ \|/.test(line))

describe('docs/threats.md', () => {
  it('names a test in every row', () => {
    expect(rows.length).toBeGreaterThan(30)
    for (const row of rows) expect(row, row).toMatch(/`[\w/.-]+\.(?:test\.ts|md)` “[^”]+”/)
    // Whatever stands in quotation marks was understood as the name of a test.
    expect(named).toHaveLength((text.match(/“/g) ?? []).length)
  })

  it('has its rows in order, each once', () => {
    const numbers = rows.map((row) => Number(/^\| (\d+) \|/.exec(row)?.[1]))
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  })

  it.each(named)('%s has “%s”', (file, title) => {
    expect(readFileSync(new URL(file, packages), 'utf8')).toContain(title)
  })
})
