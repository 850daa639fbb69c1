/** An SMTP TLS report as a value: how sessions of a sender with a domain's servers went. RFC 8460 §4 */

/** RFC 8460 §4.3 and what is registered since; `unknown` is another word. */
export type TlsFailureType = (typeof TLS_FAILURE_TYPES)[number] | 'unknown'

export const TLS_FAILURE_TYPES = [
  'starttls-not-supported',
  'certificate-host-mismatch',
  'certificate-expired',
  'certificate-not-trusted',
  'validation-failure',
  'tlsa-invalid',
  'dnssec-invalid',
  'dane-required',
  'sts-policy-fetch-error',
  'sts-policy-invalid',
  'sts-webpki-invalid',
] as const

/** RFC 8460 §4.4 */
export const POLICY_TYPES = ['tlsa', 'sts', 'no-policy-found'] as const

/** Sessions that failed alike. RFC 8460 §4.4 */
export interface TlsFailure {
  readonly type: TlsFailureType
  /** Sessions, ≥ 0. */
  readonly count: number
  /** Canonical text of an IP address. */
  readonly sendingIp?: string
  readonly receivingHost?: string
  readonly receivingHelo?: string
  readonly receivingIp?: string
  readonly information?: string
  readonly reason?: string
}

/** What became of one policy. */
export interface TlsPolicyResult {
  readonly type: (typeof POLICY_TYPES)[number] | 'unknown'
  /** A-labels, lower case; some reporters leave it out when they found no policy. */
  readonly domain?: string
  /** The policy as applied, in lines. */
  readonly policyLines: readonly string[]
  readonly mxHosts: readonly string[]
  /** Sessions, ≥ 0. */
  readonly succeeded: number
  readonly failed: number
  readonly failures: readonly TlsFailure[]
  /** Failures beyond those that are kept. */
  readonly omittedFailures: number
}

/** Texts are the reporter's, without control characters and of bounded length, and nothing anyone vouches for. */
export interface TlsReport {
  readonly kind: 'tls'
  /** Not empty. */
  readonly organization: string
  /** An address, where the reporter kept to the rules; may be empty. */
  readonly contact: string
  /** 1 to 512 characters. */
  readonly reportId: string
  /** Since 1970. The period may be nonsense: see `checkReport`. */
  readonly beginSeconds: number
  readonly endSeconds: number
  readonly policies: readonly TlsPolicyResult[]
  /** Policies beyond those that are kept. */
  readonly omittedPolicies: number
}
