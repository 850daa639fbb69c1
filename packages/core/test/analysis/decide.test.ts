import { decide, type Evidence } from '@postern/core/analysis'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const plain: Evidence = {
  mailFromSpf: 'pass',
  dmarc: { result: 'pass', policy: 'none' },
  reverseName: 'pass',
  tls: true,
  named: true,
  listAllowed: false,
  report: false,
  reputation: { junk: undefined, conclusive: false, method: 'none', count: 0 },
  subjectPass: 'absent',
  content: 'none',
  blockLists: [],
}
const content = (probability: number, significant = true) => ({ probability, significant })
const rejecting = { result: 'fail', policy: 'reject' } as const
const conclusive = (junk: boolean): Evidence['reputation'] => ({ junk, conclusive: true, method: 'msgfromdomain', count: 3 })
const leaning = (method: 'ip1' | 'msgfromfull'): Evidence['reputation'] => ({ junk: true, conclusive: false, method, count: 1 })

const ROWS: readonly (readonly [what: string, evidence: Partial<Evidence>, kind: string, reason: string, tell?: string])[] = [
  ['nothing speaks against it', {}, 'accept', 'no-bad-signals'],
  ['list allowed, against DMARC and reputation', { listAllowed: true, dmarc: rejecting, reputation: conclusive(true) }, 'accept', 'list-allow'],
  ['DMARC rejects, against reputation', { dmarc: rejecting, reputation: conclusive(false) }, 'reject', 'dmarc-policy', 'policy'],
  ['DMARC fails, policy quarantine', { dmarc: { result: 'fail', policy: 'quarantine' } }, 'reject', 'dmarc-policy', 'policy'],
  ['DMARC fails, nothing is asked for', { dmarc: { result: 'fail', policy: 'none' } }, 'accept', 'no-bad-signals'],
  ['DMARC could not be asked', { dmarc: { result: 'temperror', policy: 'none' } }, 'accept', 'no-bad-signals'],
  ['known good sender, listed and spammy', { reputation: conclusive(false), content: content(1), blockLists: ['bl.example'] }, 'accept', 'msgfromdomain'],
  ['known sender of junk, harmless words', { reputation: conclusive(true), content: content(0) }, 'reject', 'msgfromdomain', 'junk'],
  ['report signed by a key for nothing else, against DMARC', { report: true, dmarc: rejecting }, 'accept', 'reporting'],
  ['report, against SPF', { report: true, mailFromSpf: 'fail' }, 'accept', 'reporting'],
  ['SPF fail of an unknown sender', { mailFromSpf: 'fail' }, 'reject', 'spf-policy', 'junk'],
  ['SPF softfail of an unknown sender', { mailFromSpf: 'softfail' }, 'reject', 'spf-policy', 'junk'],
  ['SPF neutral of an unknown sender', { mailFromSpf: 'neutral' }, 'accept', 'no-bad-signals'],
  ['SPF fail of a sender known by address', { mailFromSpf: 'fail', reputation: leaning('msgfromfull') }, 'accept', 'no-bad-signals'],
  ['no reverse name and junk came from there', { reverseName: 'fail', reputation: leaning('ip1') }, 'reject', 'iprev', 'junk'],
  ['junk came from there, but it has a name', { reputation: leaning('ip1') }, 'accept', 'no-bad-signals'],
  ['subject pass, listed', { subjectPass: 'pass', blockLists: ['bl.example'] }, 'accept', 'subjectpass'],
  ['forged subject pass, listed', { subjectPass: 'forged', blockLists: ['bl.example'], dmarc: { result: 'none', policy: 'none' } }, 'reject', 'dns-blocklisted', 'junk'],
  ['words of junk', { content: content(0.999), subjectPass: undefined }, 'reject', 'junk-content', 'junk'],
  ['words under the threshold', { content: content(0.9) }, 'accept', 'no-bad-signals'],
  ['words of junk, the filter hardly trained', { content: content(0.999, false) }, 'accept', 'no-bad-signals'],
  ['untrained filter, no reverse name', { content: content(0.5, false), reverseName: 'temperror', subjectPass: undefined }, 'reject', 'junk-content-strict', 'junk'],
  ['doubtful words, no reverse name', { content: content(0.3), reverseName: 'fail', subjectPass: undefined }, 'reject', 'junk-content-strict', 'junk'],
  ['doubtful words, no TLS', { content: content(0.3), tls: false, subjectPass: undefined }, 'reject', 'junk-content-strict', 'junk'],
  ['doubtful words, recipient not named', { content: content(0.3), named: false, subjectPass: undefined }, 'reject', 'junk-content-strict', 'junk'],
  ['good words, no TLS', { content: content(0.1), tls: false }, 'accept', 'no-bad-signals'],
  ['listed, sender authenticated', { blockLists: ['bl.example'] }, 'reject', 'give-subjectpass', 'pass'],
  ['listed, no subject passes', { blockLists: ['bl.example'], subjectPass: undefined }, 'reject', 'dns-blocklisted', 'junk'],
  ['listed, sender not authenticated', { blockLists: ['bl.example'], dmarc: { result: 'none', policy: 'none' } }, 'reject', 'dns-blocklisted', 'junk'],
  ['moderate junk of an authenticated stranger', { content: content(0.3), tls: false }, 'reject', 'give-subjectpass', 'pass'],
  ['plain junk of an authenticated stranger', { content: content(0.99), tls: false }, 'reject', 'junk-content-strict', 'junk'],
  ['moderate junk of somebody known', { content: content(0.3), tls: false, reputation: leaning('ip1') }, 'reject', 'junk-content-strict', 'junk'],
]

describe('decide', () => {
  test.each(ROWS)('%s', (...row) => {
    const [, evidence, kind, reason, tell] = row as unknown as (typeof ROWS)[number]
    expect(decide({ ...plain, ...evidence }, 0)).toMatchObject({ kind, reason, ...(tell === undefined ? {} : { tell }) })
  })

  test('the signal that decides has weight 1 or −1, and stands last or is followed only by weaker ones', () => {
    for (const [what, evidence, kind] of ROWS) {
      const verdict = decide({ ...plain, ...evidence }, 0)
      if (verdict.kind === 'ask') throw new Error(what)
      const strongest = verdict.signals.find(({ weight }) => Math.abs(weight) === 1)
      if (verdict.reason === 'no-bad-signals') expect(strongest, what).toBeUndefined()
      else expect(strongest?.weight, what).toBe(kind === 'accept' ? -1 : 1)
    }
  })

  test('costly facts are asked for only when the verdict hangs on them', () => {
    const unasked = { ...plain, content: undefined, blockLists: undefined }
    expect(decide(unasked, 0)).toEqual({ kind: 'ask', facts: ['content', 'blockLists'] })
    expect(decide({ ...unasked, content: 'none' }, 0)).toEqual({ kind: 'ask', facts: ['blockLists'] })
    expect(decide({ ...unasked, named: undefined }, 0)).toEqual({ kind: 'ask', facts: ['named', 'content', 'blockLists'] })
    expect(decide({ ...unasked, content: 'none', blockLists: [], named: undefined }, 0)).toEqual({ kind: 'ask', facts: ['named'] })
    expect(decide({ ...unasked, named: undefined, reputation: conclusive(false) }, 0)).toMatchObject({ kind: 'accept' })
    for (const [what, evidence] of ROWS) {
      if (['list-allow', 'dmarc-policy', 'msgfromdomain', 'reporting', 'spf-policy', 'iprev', 'subjectpass'].includes(String(ROWS.find(([name]) => name === what)?.[3]))) {
        expect(decide({ ...plain, ...evidence, content: undefined, blockLists: undefined }, 0).kind, what).not.toBe('ask')
      }
    }
    expect(decide({ ...plain, content: content(1), blockLists: undefined }, 0).kind, 'junk by its words').toBe('reject')
  })

  test('jitter moves the threshold by five hundredths, not the strict one', () => {
    expect(decide({ ...plain, subjectPass: undefined, content: content(0.93) }, -1).kind).toBe('reject')
    expect(decide({ ...plain, subjectPass: undefined, content: content(0.93) }, 0).kind).toBe('accept')
    expect(decide({ ...plain, subjectPass: undefined, content: content(0.97) }, 1).kind).toBe('accept')
    expect(decide({ ...plain, tls: false, content: content(0.24) }, -1).kind).toBe('accept')
  })

  test('the same evidence gives the same verdict after it was written down', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ROWS), fc.double({ min: -1, max: 1, noNaN: true }), ([, evidence], jitter) => {
        const kept = { ...plain, ...evidence }
        const read = { ...(JSON.parse(JSON.stringify(kept)) as Evidence), reputation: kept.reputation, subjectPass: kept.subjectPass }
        expect(decide(read, jitter)).toEqual(decide(kept, jitter))
      }),
    )
  })
})
