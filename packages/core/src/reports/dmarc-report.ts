/** A DMARC aggregate report as a value: what others saw of mail that said it was from a domain. RFC 9990, RFC 7489 §7.2 */

/** What a domain asks for, or what was done. */
export type DmarcDisposition = 'none' | 'quarantine' | 'reject'

/** The record the reporter found for the domain. RFC 9990 §3.1.1.5, RFC 7489 appendix C */
export interface PublishedDmarcPolicy {
  /** A-labels, lower case. */
  readonly domain: string
  readonly p: DmarcDisposition
  readonly sp?: DmarcDisposition
  readonly np?: DmarcDisposition
  /** Relaxed or strict. */
  readonly adkim?: 'r' | 's'
  readonly aspf?: 'r' | 's'
  readonly fo?: string
  /** 0 to 100; of RFC 7489 only. */
  readonly pct?: number
  readonly testing?: boolean
  readonly discovery?: 'psl' | 'treewalk'
}

/** Why something else than the policy was applied. RFC 9990 §3.1.6, RFC 7489 appendix C */
export interface DmarcOverride {
  readonly type:
    | 'forwarded'
    | 'sampled_out'
    | 'trusted_forwarder'
    | 'mailing_list'
    | 'local_policy'
    | 'policy_test_mode'
    | 'other'
  readonly comment?: string
}

/** Results of SPF and DKIM; `unknown` is a word we don't know. RFC 8601 §2.7.1, §2.7.2 */
export type AuthWord =
  | 'none'
  | 'pass'
  | 'fail'
  | 'softfail'
  | 'neutral'
  | 'policy'
  | 'temperror'
  | 'permerror'
  | 'unknown'

export interface ReportedDkim {
  /** As `headerFrom`; may be empty. */
  readonly domain: string
  readonly selector?: string
  readonly result: AuthWord
  readonly comment?: string
}

export interface ReportedSpf {
  /** As `headerFrom`; may be empty. */
  readonly domain: string
  readonly scope?: 'mfrom' | 'helo'
  readonly result: AuthWord
  readonly comment?: string
}

/** Messages from one address that fared alike. */
export interface DmarcRow {
  /** Canonical text of an IP address. */
  readonly sourceIp: string
  /** Messages, ≥ 0. */
  readonly count: number
  /** Absent where the reporter did not say, or said a word that isn't known. */
  readonly disposition?: DmarcDisposition | 'pass'
  /** Whether an aligned identifier passed. */
  readonly dkim?: 'pass' | 'fail'
  readonly spf?: 'pass' | 'fail'
  readonly overrides: readonly DmarcOverride[]
  /** A-labels in lower case where it is a domain name, else the text as written, cut to 255 characters. */
  readonly headerFrom: string
  readonly envelopeFrom?: string
  readonly envelopeTo?: string
  readonly dkimResults: readonly ReportedDkim[]
  readonly spfResults: readonly ReportedSpf[]
}

/** Texts are the reporter's, without control characters and of bounded length, and nothing anyone vouches for. */
export interface DmarcReport {
  readonly kind: 'dmarc'
  /** Not empty. */
  readonly organization: string
  /** An address, where the reporter kept to the rules; may be empty. */
  readonly contact: string
  readonly extraContact?: string
  /** Unique among the reports of this reporter to the domain; 1 to 512 characters. RFC 9990 §3.5.1 */
  readonly reportId: string
  /** Since 1970. The period may be nonsense: see `checkReport`. */
  readonly beginSeconds: number
  readonly endSeconds: number
  readonly errors: readonly string[]
  readonly generator?: string
  readonly policy: PublishedDmarcPolicy
  readonly rows: readonly DmarcRow[]
  /** Rows beyond those that are kept, and the messages they count. */
  readonly omittedRows: number
  readonly omittedMessages: number
}
