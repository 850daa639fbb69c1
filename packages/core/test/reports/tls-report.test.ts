import { describe, expect, it } from 'vitest'
import { outcome, read, readTls, tlsJson } from './report-files.ts'

const policy = { 'policy-type': 'sts', 'policy-domain': 'example.org' }
const summary = { 'total-successful-session-count': 1, 'total-failure-session-count': 2 }
const failure = { 'result-type': 'certificate-expired', 'failed-session-count': 2 }

function withPolicy(over: object): string {
  return tlsJson({ policies: [{ policy, summary, 'failure-details': [failure], ...over }] })
}

describe('a TLS report', () => {
  const good: readonly (readonly [what: string, json: string, expected: object])[] = [
    ['as RFC 8460 writes it', withPolicy({}), { policies: [{ type: 'sts', domain: 'example.org', succeeded: 1, failed: 2, failures: [{ type: 'certificate-expired', count: 2 }] }] }],
    ['without a time zone', tlsJson({ 'date-range': { 'start-datetime': '2023-11-14T00:00:00', 'end-datetime': '2023-11-14T23:59:59' } }), { beginSeconds: 1_699_920_000, endSeconds: 1_700_006_399 }],
    ['with an offset and parts of seconds', tlsJson({ 'date-range': { 'start-datetime': '2023-11-14t02:00:00.123+02:00', 'end-datetime': '2023-11-14 23:59:59z' } }), { beginSeconds: 1_699_920_000, endSeconds: 1_700_006_399 }],
    ['with a count in a string', withPolicy({ summary: { ...summary, 'total-successful-session-count': '77' } }), { policies: [{ succeeded: 77 }] }],
    ['with a count below zero', withPolicy({ summary: { ...summary, 'total-failure-session-count': -5 } }), { policies: [{ failed: 0 }] }],
    ['without counts', withPolicy({ summary: undefined }), { policies: [{ succeeded: 0, failed: 0 }] }],
    ['with one string in place of a list', withPolicy({ policy: { ...policy, 'mx-host': '*.example.org' } }), { policies: [{ mxHosts: ['*.example.org'] }] }],
    ['of a failure nobody knows', withPolicy({ 'failure-details': [{ 'result-type': 'gremlins' }] }), { policies: [{ failures: [{ type: 'unknown', count: 0 }] }] }],
    ['of a policy nobody knows', withPolicy({ policy: { ...policy, 'policy-type': 'new' } }), { policies: [{ type: 'unknown' }] }],
    ['without a contact', tlsJson({ 'contact-info': undefined }), { contact: '' }],
    ['with names of the language in it', tlsJson({ constructor: 1, ['__proto__']: { x: 1 } }), { organization: 'Reporter' }],
  ]
  for (const [what, json, expected] of good) {
    it(`is read ${what}`, async () => {
      expect(await readTls(json)).toMatchObject(expected)
    })
  }

  const broken: readonly (readonly [what: string, json: string, code: string])[] = [
    ['a name of its reporter', tlsJson({ 'organization-name': undefined }), 'REPORT_FIELD'],
    ['a name with something in it', tlsJson({ 'organization-name': '\u0001' }), 'REPORT_FIELD'],
    ['an id', tlsJson({ 'report-id': 7 }), 'REPORT_FIELD'],
    ['a period', tlsJson({ 'date-range': '2023' }), 'REPORT_FIELD'],
    ['a time that is', tlsJson({ 'date-range': { 'start-datetime': '2023-13-40T00:00:00Z', 'end-datetime': '2023-11-14T23:59:59Z' } }), 'REPORT_FIELD'],
    ['policies', tlsJson({ policies: [] }), 'REPORT_FIELD'],
    ['a policy in each', tlsJson({ policies: [{ policy }, null] }), 'REPORT_FIELD'],
    ['all of its text', tlsJson().slice(0, -1), 'REPORT_SYNTAX'],
    ['an end where it ends', `${tlsJson()}]`, 'REPORT_SYNTAX'],
  ]
  for (const [what, json, code] of broken) {
    it(`is none without ${what}`, async () => {
      expect(await outcome(read(json))).toBe(code)
    })
  }

  it('names nothing of what came in what it says', async () => {
    const reading = await read(tlsJson({ 'report-id': { secret: 'hush' } }))
    expect(reading).toEqual({ kind: 'problem', code: 'REPORT_FIELD', text: 'Expected report.report-id' })
  })

  it('keeps 5,000 failures over all policies and counts the others', async () => {
    const details = Array.from({ length: 3_000 }, () => ({ 'result-type': 'validation-failure', 'failed-session-count': 1 }))
    const { policies } = await readTls(tlsJson({ policies: [1, 2, 3].map(() => ({ policy, summary, 'failure-details': details })) }))
    expect(policies.map(({ failures, omittedFailures }) => [failures.length, omittedFailures])).toEqual([[3_000, 0], [2_000, 1_000], [0, 3_000]])
  })

  it('keeps 100 policies and counts the others', async () => {
    const { policies, omittedPolicies } = await readTls(tlsJson({ policies: Array.from({ length: 103 }, () => ({ policy, summary })) }))
    expect([policies.length, omittedPolicies]).toEqual([100, 3])
  })
})
