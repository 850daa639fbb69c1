// The public suffix list: its own checks, and the list itself.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPublicSuffix, organizationalDomain } from '../../src/provenance/organizational-domain.ts'
import { corpora } from './corpora.ts'

const folder = join(corpora, 'psl')
const isAbsent = !existsSync(folder)
const absent = isAbsent ? ' (skipped: the corpora are not here)' : ''
const read = (file: string): string => (isAbsent ? '' : readFileSync(join(folder, file), 'utf8'))

describe.skipIf(isAbsent)(`checks of the list${absent}`, () => {
  const rows = read('tests/tests.txt').split('\n').filter((line) => line !== '' && !line.startsWith('//')).map((line) => line.split(' ') as [string, string])
  const older = [...read('tests/test_psl.txt').matchAll(/^checkPublicSuffix\((?:null|'([^']*)'), (?:null|'([^']*)')\);/gm)].map(([, domain = 'null', wanted = 'null']) => [domain, wanted] as const)

  test('there are as many as there should be', () => {
    expect(rows.length).toBeGreaterThanOrEqual(75)
    expect(older.length).toBe(rows.length)
  })

  // The first asks for nothing, which our types don't allow; "null" is a name then, and a top-level one.
  test.each([...rows, ...older])('%s: %s', (domain, wanted) => {
    expect(organizationalDomain(domain) ?? 'null').toBe(wanted)
  })
})

describe.skipIf(isAbsent)(`every rule of the list${absent}`, () => {
  const list = read('public_suffix_list.dat')
  const rules = list.split('\n').map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('//'))
  const exceptions = rules.filter((rule) => rule.startsWith('!')).map((rule) => rule.slice(1))
  const wildcards = rules.filter((rule) => rule.startsWith('*.')).map((rule) => rule.slice(2))
  const plain = rules.filter((rule) => !/^[!*]/.test(rule))

  test('of which some are newer than the list we have', () => {
    expect(rules.length).toBeGreaterThan(9_000)
    const missing = plain.filter((rule) => !isPublicSuffix(rule))
    // The list changes every week; ours comes with its package.
    expect(missing.length, missing.slice(0, 20).join(' ')).toBeLessThan(plain.length / 50)
  })

  test('wildcards and their exceptions', () => {
    const wrong = wildcards.filter((rule) => organizationalDomain(`owner.any-name.${rule}`) !== `owner.any-name.${rule}`)
    expect(wrong.length, wrong.join(' ')).toBeLessThan(wildcards.length / 10)
    for (const exception of exceptions) expect(organizationalDomain(`www.${exception}`)).toBe(exception)
  })
})

describe('names', () => {
  test.each([
    ['example.org', 'example.org'],
    ['a.b.example.org', 'example.org'],
    ['A.Example.ORG', 'example.org'],
    ['org', undefined],
    ['user.github.io', 'user.github.io'],
    ['a.user.github.io', 'user.github.io'],
    ['github.io', undefined],
    ['example.org.', undefined],
    ['.example.org', undefined],
    ['a..example.org', undefined],
    ['', undefined],
    [`${'a.'.repeat(130)}example.org`, undefined],
    ['192.0.2.1', undefined],
    ['[192.0.2.1]', undefined],
  ])('%s: %s', (domain, wanted) => {
    expect(organizationalDomain(domain)).toBe(wanted)
  })

  test.each([['org', true], ['CO.uk', true], ['github.io', true], ['example.org', false], ['unlisted-tld', true], ['', false]])('%s is a suffix: %s', (domain, is) => {
    expect(isPublicSuffix(domain)).toBe(is)
  })

  test('an organization is its own, and at the end of its names', () => {
    const label = fc.constantFrom('a', 'www', 'co', 'uk', 'com', 'github', 'io', 'example', 'org', 'xn--p1ai', 'kobe', 'jp', 'ck')
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 6 }), (labels) => {
        const name = labels.join('.')
        const organization = organizationalDomain(name)
        if (organization === undefined) return
        expect(`.${name}`.endsWith(`.${organization}`)).toBe(true)
        expect(organizationalDomain(organization)).toBe(organization)
        expect(isPublicSuffix(organization)).toBe(false)
      }),
    )
  })
})
