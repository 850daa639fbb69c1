// DMARC policy records: what of a text is one, and what is read of it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isDmarcRecord, parseDmarcRecord, type DmarcRecord } from '../../src/provenance/dmarc/index.ts'

const DEFAULTS: DmarcRecord = {
  policy: undefined,
  subdomainPolicy: undefined,
  nonexistentPolicy: undefined,
  invalidPolicy: false,
  dkimAlignment: 'relaxed',
  spfAlignment: 'relaxed',
  psd: 'u',
  testing: false,
  percent: 100,
  aggregateUris: [],
  failureUris: [],
  failureOptions: '0',
}

describe('what is a DMARC record', () => {
  test.each([
    ['v=DMARC1', true],
    ['v=DMARC1;', true],
    ['v=DMARC1; p=none', true],
    ['v = DMARC1 ; p=none', true],
    ['v\t=\tDMARC1;p=none', true],
    ['V=DMARC1; p=none', true],
    ['v=dmarc1; p=none', false],
    ['v=DMARC10; p=none', false],
    ['v=DMARC1 p=none', false],
    ['p=none; v=DMARC1', false],
    [' v=DMARC1; p=none', false],
    ['v=DMARC1; p=none; p=reject', false],
    ['v=DMARC1; p=none; x=1; x=1', false],
    ['v=spf1 -all', false],
    ['', false],
  ])('%j: %s', (text, is) => {
    expect(isDmarcRecord(text)).toBe(is)
  })
})

describe('what a record says', () => {
  test.each<readonly [string, Partial<DmarcRecord>]>([
    ['v=DMARC1', {}],
    ['v=DMARC1; p=none', { policy: 'none' }],
    ['v=DMARC1; p=QuaranTine;', { policy: 'quarantine' }],
    ['v=DMARC1;p=reject', { policy: 'reject' }],
    ['v=DMARC1; P=reject', {}],
    ['v=DMARC1 ; p = reject ; sp = none ; np = quarantine ;', { policy: 'reject', subdomainPolicy: 'none', nonexistentPolicy: 'quarantine' }],
    ['v=DMARC1; p=monitor', { invalidPolicy: true }],
    ['v=DMARC1; p=', { invalidPolicy: true }],
    ['v=DMARC1; p=reject; sp=all', { policy: 'reject', invalidPolicy: true }],
    ['v=DMARC1; p=reject; np=x', { policy: 'reject', invalidPolicy: true }],
    ['v=DMARC1; p=none; adkim=s; aspf=S', { policy: 'none', dkimAlignment: 'strict', spfAlignment: 'strict' }],
    ['v=DMARC1; p=none; adkim=strict; aspf=', { policy: 'none' }],
    ['v=DMARC1; p=none; psd=y', { policy: 'none', psd: 'y' }],
    ['v=DMARC1; p=none; psd=N', { policy: 'none', psd: 'n' }],
    ['v=DMARC1; p=none; psd=maybe', { policy: 'none' }],
    ['v=DMARC1; p=none; t=y', { policy: 'none', testing: true }],
    ['v=DMARC1; p=none; t=n', { policy: 'none' }],
    ['v=DMARC1; p=none; pct=0', { policy: 'none', percent: 0 }],
    ['v=DMARC1; p=none; pct=25', { policy: 'none', percent: 25 }],
    ['v=DMARC1; p=none; pct=101', { policy: 'none' }],
    ['v=DMARC1; p=none; pct=-1', { policy: 'none' }],
    ['v=DMARC1; p=none; fo=1:d:s', { policy: 'none', failureOptions: '1:d:s' }],
    ['v=DMARC1; p=none; rua=mailto:a@example.org', { policy: 'none', aggregateUris: ['mailto:a@example.org'] }],
    ['v=DMARC1; p=none; rua=mailto:a@example.org!10m , MAILTO:b@example.org!5; ruf=mailto:c@example.org', { policy: 'none', aggregateUris: ['mailto:a@example.org', 'MAILTO:b@example.org'], failureUris: ['mailto:c@example.org'] }],
    ['v=DMARC1; p=none; rua=a@example.org, https://example.org/x', { policy: 'none', aggregateUris: ['https://example.org/x'] }],
    ['v=DMARC1; p=none; unknown=tag; nothing; =x', { policy: 'none' }],
    ['v=DMARC1; p=none; __proto__=x; constructor=y', { policy: 'none' }],
  ])('%j', (text, wanted) => {
    expect(isDmarcRecord(text)).toBe(true)
    expect(parseDmarcRecord(text)).toEqual({ ...DEFAULTS, ...wanted })
  })

  test('addresses are limited in number', () => {
    const many = Array.from({ length: 100 }, (_, at) => `mailto:a${at}@example.org`).join(',')
    expect(parseDmarcRecord(`v=DMARC1; p=none; rua=${many}`).aggregateUris).toHaveLength(20)
  })

  test('any text gives a record', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => {
      const { percent, policy } = parseDmarcRecord(`v=DMARC1;${text}`)
      expect(percent).toBeGreaterThanOrEqual(0)
      expect(percent).toBeLessThanOrEqual(100)
      expect([undefined, 'none', 'quarantine', 'reject']).toContain(policy)
    }))
  })
})
