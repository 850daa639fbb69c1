/**
 * Reads the JSON of an SMTP TLS report. RFC 8460 §4.4
 * Strict on who and which one it is, when, and that there are policies; LENIENT on the rest: reporters leave out counts
 * that are zero and domains of policies that weren't found, and write one string where a list belongs.
 */
import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { parseIpAddress } from '../address/index.ts'
import { JsonBounds } from './json-bounds.ts'
import { ReportSyntaxError } from './report-syntax-error.ts'
import { domainOf, domainText, nameText, remarkText, reportIdText } from './report-text.ts'
import { POLICY_TYPES, TLS_FAILURE_TYPES, type TlsFailure, type TlsPolicyResult, type TlsReport } from './tls-report.ts'

/** LIMIT: octets of JSON, which is held whole; a failure takes some 300. */
const MAX_TLS_REPORT_OCTETS = 5 * 1_048_576

/** LIMIT: policies; a report is about one domain, with one or two of them. */
const MAX_POLICIES = 100
/** LIMIT: failures that are kept, over all policies. */
const MAX_FAILURES = 5000
/** Some milliseconds of them. */
const FAILURES_AT_ONCE = 250
/** LIMIT: lines of a policy, hosts of a policy. */
const MAX_LINES = 50

const text = z.string().catch('')
const count = z
  .union([z.number(), z.string().regex(/^[0-9]{1,16}$/).transform(Number)])
  .pipe(z.int().nonnegative())
  .catch(0)
const list = z.union([z.array(z.unknown()), z.string().transform((one): unknown[] => [one])]).catch([])

const reportSchema = z.object({
  'organization-name': z.string(),
  'date-range': z.object({ 'start-datetime': z.string(), 'end-datetime': z.string() }),
  'contact-info': text,
  'report-id': z.string(),
  policies: z.array(z.unknown()),
})

const policySchema = z.object({
  policy: z.object({
    'policy-type': z.string(),
    'policy-string': list,
    'policy-domain': text,
    'mx-host': list,
  }),
  summary: z
    .object({ 'total-successful-session-count': count, 'total-failure-session-count': count })
    .catch({ 'total-successful-session-count': 0, 'total-failure-session-count': 0 }),
  'failure-details': z.array(z.unknown()).catch([]),
})

const failureSchema = z.object({
  'result-type': text,
  'sending-mta-ip': text,
  'receiving-mx-hostname': text,
  'receiving-mx-helo': text,
  'receiving-ip': text,
  'failed-session-count': count,
  'additional-information': text,
  'failure-reason-code': text,
})

/** Takes the octets in pieces of any size. */
export class TlsReportReader {
  readonly #bounds = new JsonBounds()
  readonly #pieces: Uint8Array[] = []
  #octets = 0

  /** @param octets copied @throws ReportSyntaxError; nothing may be pushed after that */
  push(octets: Uint8Array): void {
    this.#octets += octets.length
    if (this.#octets > MAX_TLS_REPORT_OCTETS) {
      throw new ReportSyntaxError('REPORT_TOO_LARGE', `Expected at most ${MAX_TLS_REPORT_OCTETS} octets of JSON`)
    }
    this.#bounds.push(octets)
    this.#pieces.push(new Uint8Array(octets))
  }

  /** Rejects with `ReportSyntaxError`. */
  async end(): Promise<TlsReport> {
    const written = read(reportSchema, parseJson(Buffer.concat(this.#pieces)), 'report')
    const { 'date-range': range } = written
    const organization = nameText(written['organization-name'])
    const left = { failures: MAX_FAILURES }
    const policies: TlsPolicyResult[] = []
    for (const policy of written.policies.slice(0, MAX_POLICIES)) policies.push(await readPolicy(policy, left))
    return {
      kind: 'tls',
      organization: organization === '' ? missing('organization-name') : organization,
      contact: nameText(written['contact-info']),
      reportId: reportIdText(written['report-id']) ?? missing('report-id'),
      beginSeconds: seconds(range['start-datetime']) ?? missing('start-datetime'),
      endSeconds: seconds(range['end-datetime']) ?? missing('end-datetime'),
      policies: policies.length > 0 ? policies : missing('policies'),
      omittedPolicies: written.policies.length - policies.length,
    }
  }
}

function parseJson(octets: Uint8Array): unknown {
  let decoded: string
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch (cause) {
    throw new ReportSyntaxError('REPORT_CHARSET', 'Expected UTF-8', { cause })
  }
  try {
    return JSON.parse(decoded)
  } catch (cause) {
    throw new ReportSyntaxError('REPORT_SYNTAX', 'Expected JSON', { cause })
  }
}

async function readPolicy(value: unknown, left: { failures: number }): Promise<TlsPolicyResult> {
  const written = read(policySchema, value, 'policy')
  const { policy, summary, 'failure-details': details } = written
  const domain = domainOf(policy['policy-domain'])
  const kept = details.slice(0, left.failures)
  left.failures -= kept.length
  const type = policy['policy-type'].trim().toLowerCase()
  const failures: TlsFailure[] = []
  for (const [at, detail] of kept.entries()) {
    // Others get their turn of the event loop.
    if (at % FAILURES_AT_ONCE === 0) await setImmediate()
    failures.push(readFailure(detail))
  }
  return {
    type: POLICY_TYPES.find((known) => known === type) ?? 'unknown',
    ...(domain === undefined ? {} : { domain }),
    policyLines: texts(policy['policy-string'], remarkText),
    mxHosts: texts(policy['mx-host'], nameText),
    succeeded: summary['total-successful-session-count'],
    failed: summary['total-failure-session-count'],
    failures,
    omittedFailures: details.length - kept.length,
  }
}

function readFailure(value: unknown): TlsFailure {
  const written = read(failureSchema, value, 'failure')
  const type = written['result-type'].trim().toLowerCase()
  const optional = <K extends string>(name: K, found: string | undefined): { [P in K]?: string } =>
    found === undefined || found === '' ? {} : ({ [name]: found } as { [P in K]?: string })
  return {
    type: TLS_FAILURE_TYPES.find((known) => known === type) ?? 'unknown',
    count: written['failed-session-count'],
    ...optional('sendingIp', parseIpAddress(written['sending-mta-ip'].trim())?.text),
    ...optional('receivingHost', domainText(written['receiving-mx-hostname'])),
    ...optional('receivingHelo', nameText(written['receiving-mx-helo'])),
    ...optional('receivingIp', parseIpAddress(written['receiving-ip'].trim())?.text),
    ...optional('information', remarkText(written['additional-information'])),
    ...optional('reason', remarkText(written['failure-reason-code'])),
  }
}

function texts(values: readonly unknown[], clean: (text: string) => string): string[] {
  return values.slice(0, MAX_LINES).flatMap((value) => (typeof value === 'string' ? [clean(value)] : []))
}

/** RFC 3339 §5.6. LENIENT: without an offset it is UTC. */
function seconds(written: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)?$/.exec(written.trim())
  if (match === null) return undefined
  const ms = Date.parse(`${match[1]}T${match[2]}${(match[3] ?? 'Z').toUpperCase()}`)
  return Number.isNaN(ms) || ms < 0 ? undefined : Math.floor(ms / 1000)
}

function read<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const path = result.error.issues[0]?.path.join('.') ?? ''
  throw new ReportSyntaxError('REPORT_FIELD', `Expected ${path === '' ? what : `${what}.${path}`}`, { cause: result.error })
}

function missing(name: string): never {
  throw new ReportSyntaxError('REPORT_FIELD', `Expected ${name}`)
}
