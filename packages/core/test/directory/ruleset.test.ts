import { createDirectory, parseDirectoryConfig, type RulesetSubject } from '@postern/core/directory'
import { parseForwardPath } from '@postern/core/address'
import { describe, expect, test } from 'vitest'

function ruleset(config: object) {
  const directory = createDirectory(
    parseDirectoryConfig({ domains: { 'a.example': {} }, accounts: { ada: { addresses: [{ address: 'x@a.example', rulesets: [{ mailbox: 'Lists', ...config }] }] } } }),
  )
  const found = directory.findRecipient(parseForwardPath('<x@a.example>', { utf8: false }))
  if (found.kind !== 'account') throw new Error(found.kind)
  return found.destination.rulesets[0]
}

const subject: RulesetSubject = {
  mailFrom: 'bounces+7@lists.example.org',
  verifiedDomains: ['lists.example.org', 'bücher.example'],
  fields: () => [
    ['List-Id', ' Talk <talk.lists.example.org> '],
    ['X-Spam', 'No'],
  ],
}

const ROWS: readonly (readonly [what: string, config: object, subject: Partial<RulesetSubject>, matches: boolean])[] = [
  ['reverse-path anywhere', { mailFromPattern: '@lists\\.' }, {}, true],
  ['reverse-path is not turned to lower case', { mailFromPattern: 'BOUNCES' }, {}, false],
  ['null reverse-path', { mailFromPattern: '^$' }, { mailFrom: '' }, true],
  ['domain itself', { verifiedDomain: 'lists.example.org' }, {}, true],
  ['domain above it', { verifiedDomain: 'example.org' }, {}, true],
  ['domain below it', { verifiedDomain: 'x.lists.example.org' }, {}, false],
  ['domain that ends alike', { verifiedDomain: 'ample.org' }, {}, false],
  ['domain as A-labels', { verifiedDomain: 'xn--bcher-kva.example' }, {}, true],
  ['header by name and value', { headerPatterns: { '^list-id$': '<talk\\.' } }, {}, true],
  ['header value is trimmed', { headerPatterns: { '^list-id$': '^talk <.*>$' } }, {}, true],
  ['header of another name', { headerPatterns: { '^subject$': '.*' } }, {}, false],
  ['all headers must match', { headerPatterns: { 'list-id': 'talk', 'x-spam': 'yes' } }, {}, false],
  ['all conditions must hold', { mailFromPattern: 'bounces', verifiedDomain: 'other.example' }, {}, false],
  ['header that can not be read', { headerPatterns: { subject: '.' } }, { fields: () => undefined }, false],
]

describe('rulesets', () => {
  test.each(ROWS)('%s', (_, config, changed, matches) => {
    expect(ruleset(config)?.matches({ ...subject, ...changed })).toBe(matches)
  })

  test.each([
    ['no condition', { mailbox: 'Lists' }],
    ['only a domain to allow', { mailbox: 'Lists', listAllowDomain: 'example.org' }],
    ['no mailbox', { mailFromPattern: 'x' }],
    ['upper case for a header', { mailbox: 'Lists', headerPatterns: { 'List-Id': 'x' } }],
    ['a back-reference', { mailbox: 'Lists', mailFromPattern: '(a)\\1' }],
    ['an open bracket', { mailbox: 'Lists', mailFromPattern: '(' }],
    ['no domain', { mailbox: 'Lists', verifiedDomain: 'a b' }],
    ['a name in another form', { mailbox: 'u\u0308', mailFromPattern: 'x' }],
  ])('%s is refused', (_, config) => {
    expect(() => parseDirectoryConfig({ accounts: { ada: { addresses: [{ address: '*', rulesets: [config] }] } } } as never)).toThrow()
  })

  test('a pattern that others take for ever over is done at once', () => {
    const evil = ruleset({ mailFromPattern: '^(a+)+$' })
    const started = process.hrtime.bigint()
    expect(evil?.matches({ ...subject, mailFrom: `${'a'.repeat(5_000)}!` })).toBe(false)
    // A backtracking engine would still be at it when the sun goes out.
    expect(Number(process.hrtime.bigint() - started) / 1e9).toBeLessThan(30)
  })
})
