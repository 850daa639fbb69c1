/**
 * Whether a message is wanted. Pure: from what was learned of a message and its sender to a verdict, with every signal
 * it rests on, so that a log line can be replayed. Facts that cost much are asked for only when the verdict hangs on
 * them. Not here: learning them (gather-evidence.ts), and what is done then (core/delivery).
 */
import type { Classification } from './classifier.ts'
import type { Reputation } from './reputation.ts'
import type { SubjectPassResult } from './subject-pass.ts'

/** All that a verdict rests on; may be kept and decided again. */
export interface Evidence {
  /** RFC 7208 result for the reverse-path; `none` as well when only the name in EHLO could be checked. */
  readonly mailFromSpf: 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'
  readonly dmarc: {
    readonly result: 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'
    /** What the owner of the From domain wants done with this message; `none` too when he is only trying or sampling left it out. */
    readonly policy: 'none' | 'quarantine' | 'reject'
  }
  /** Reverse name with forward confirmation. RFC 8601 §2.7.3 */
  readonly reverseName: 'pass' | 'fail' | 'temperror' | 'permerror'
  readonly tls: boolean
  /** The recipient's address is in To or Cc. Undefined: not asked yet. */
  readonly named: boolean | undefined
  /** The owner listed the domain that authenticated this message: it is taken in any case. */
  readonly listAllowed: boolean
  /** The message is an authenticated report that the receiving address is there for. */
  readonly report: boolean
  readonly reputation: Reputation
  /** Undefined: the account gives no subject passes. */
  readonly subjectPass: SubjectPassResult | undefined
  /** `none`: there is no filter. Undefined: not asked yet. */
  readonly content: Classification | 'none' | undefined
  /** Block lists that list the sending address. Undefined: not asked yet. */
  readonly blockLists: readonly string[] | undefined
}

/** Constants of the decision. */
export interface DecisionPolicy {
  /** Junk from this probability on, 0 to 1: the account's own, else the filter's. */
  readonly junkThreshold: number
  /**
   * At most this, where the connection looks suspicious: such a message must look like ham, not only unlike spam. Of a filter
   * that learned 200 of either, 4 % of ham lies above 0.25 and at most 1.5 % of spam below, by the default scoring as by
   * that of the reference (docs/decisions/0013).
   */
  readonly strictThreshold: number
  /** Within this of the threshold, junk counts as moderate: its sender may get a subject pass. */
  readonly moderateMargin: number
}

export const defaultDecisionPolicy: DecisionPolicy = { junkThreshold: 0.95, strictThreshold: 0.25, moderateMargin: 0.2 }

/** Keyword of what decided, as logs, metrics and the reason header show it. */
export type Reason =
  /** Nothing was asked: the development server, or mail the host application vouches for. */
  | 'trusted'
  | 'list-allow'
  | 'dmarc-policy'
  | Exclude<Reputation['method'], 'none'>
  | 'reporting'
  | 'spf-policy'
  | 'iprev'
  | 'subjectpass'
  | 'junk-content'
  | 'junk-content-strict'
  | 'dns-blocklisted'
  | 'give-subjectpass'
  | 'no-bad-signals'

/** One thing that spoke for or against the message. */
export interface Signal {
  readonly name: string
  readonly value: string
  /** −1 (wanted, decides alone) to 1 (junk, decides alone); 0 says nothing. */
  readonly weight: number
}

export type Verdict =
  | { readonly kind: 'accept'; readonly reason: Reason; readonly signals: readonly Signal[] }
  | {
      readonly kind: 'reject'
      readonly reason: Reason
      /** `policy`: told plainly, for good. `junk`: told as a temporary fault, like any other. `pass`: with a subject pass. */
      readonly tell: 'policy' | 'junk' | 'pass'
      readonly signals: readonly Signal[]
    }

/** What is still to be learned before there is a verdict. */
export interface Question {
  readonly kind: 'ask'
  readonly facts: readonly ('named' | 'content' | 'blockLists')[]
}

/** Steps whose inconclusive result leaves a sender without authentication to the checks of his connection. */
const WEAK_METHODS: ReadonlySet<Reputation['method']> = new Set(['dkimspf', 'ip1', 'ip2', 'ip3', 'none'])

/** The steps in their order; the first that decides ends it. @param jitter moves the threshold, −1 to 1, so that it can't be probed */
export function decide(evidence: Evidence, jitter: number, policy: DecisionPolicy = defaultDecisionPolicy): Verdict | Question {
  const { reputation, dmarc, mailFromSpf, reverseName, content, blockLists } = evidence
  const signals: Signal[] = []
  const note = (name: string, value: string, weight: number): void => void signals.push({ name, value, weight })
  const accept = (reason: Reason): Verdict => ({ kind: 'accept', reason, signals })
  const reject = (reason: Reason, tell: 'policy' | 'junk' | 'pass' = 'junk'): Verdict => ({ kind: 'reject', reason, tell, signals })

  if (evidence.listAllowed) {
    note('list-allow', 'authenticated', -1)
    return accept('list-allow')
  }
  // There is no other quarantine here than the mailbox of rejects. A report may be signed by a key for nothing else, which
  // DMARC does not know of: RFC 8460 §3.
  const isDmarcReject = dmarc.result === 'fail' && dmarc.policy !== 'none' && !evidence.report
  note('dmarc', `${dmarc.result} p=${dmarc.policy}`, isDmarcReject ? 1 : dmarc.result === 'pass' ? -0.1 : 0)
  if (isDmarcReject) return reject('dmarc-policy', 'policy')

  note('reputation', describe(reputation), weightOf(reputation))
  if (reputation.conclusive && reputation.method !== 'none') {
    return reputation.junk === true ? reject(reputation.method) : accept(reputation.method)
  }
  if (evidence.report) {
    note('report', 'authenticated', -1)
    return accept('reporting')
  }
  const isWeak = WEAK_METHODS.has(reputation.method)
  const isSpfBad = isWeak && (mailFromSpf === 'fail' || mailFromSpf === 'softfail')
  note('spf', mailFromSpf, isSpfBad ? 1 : 0)
  if (isSpfBad) return reject('spf-policy')
  const isSuspicious = isWeak && reverseName !== 'pass'
  note('iprev', reverseName, isSuspicious ? (reputation.junk === true ? 1 : 0.3) : 0)
  if (isSuspicious && reputation.junk === true) return reject('iprev')

  if (evidence.subjectPass !== undefined && evidence.subjectPass !== 'absent') {
    note('subjectpass', evidence.subjectPass, evidence.subjectPass === 'pass' ? -1 : 0)
    if (evidence.subjectPass === 'pass') return accept('subjectpass')
  }

  if (content === undefined || evidence.named === undefined) return { kind: 'ask', facts: missing(evidence) }
  if (!evidence.tls) note('tls', 'none', 0.1)
  if (!evidence.named) note('recipient', 'not named', 0.1)
  const isStrict = isSuspicious || (isWeak && (!evidence.tls || !evidence.named))
  const threshold = Math.min(policy.junkThreshold + jitter * JITTER, isStrict ? policy.strictThreshold : 1)
  // A filter that has learned little is heard only where the connection speaks against the sender as well.
  const isHeard = content !== 'none' && (content.significant || isSuspicious)
  const isContentJunk = isHeard && content.probability > threshold
  if (content !== 'none') {
    note('content', `${content.probability.toFixed(3)}>${threshold.toFixed(3)}`, isContentJunk ? 1 : isHeard ? -0.1 : 0)
  }

  if (!isContentJunk && blockLists === undefined) return { kind: 'ask', facts: ['blockLists'] }
  const listed = blockLists ?? []
  note('dnsbl', listed.join(' ') || 'not listed', !isContentJunk && listed.length > 0 ? 1 : 0)
  if (!isContentJunk && listed.length === 0) return accept('no-bad-signals')

  const isModerate = isContentJunk && content.probability < threshold + policy.moderateMargin
  const mayPass = evidence.subjectPass !== undefined && dmarc.result === 'pass' && reputation.method === 'none'
  if (mayPass && (!isContentJunk || isModerate)) return reject('give-subjectpass', 'pass')
  if (!isContentJunk) return reject('dns-blocklisted')
  return reject(isStrict ? 'junk-content-strict' : 'junk-content')
}

function missing({ named, content, blockLists }: Evidence): Question['facts'] {
  const facts: ('named' | 'content' | 'blockLists')[] = []
  if (named === undefined) facts.push('named')
  if (content === undefined) facts.push('content')
  if (blockLists === undefined) facts.push('blockLists')
  return facts
}

/** How far the threshold is moved at most. */
const JITTER = 0.05

function describe({ method, junk, conclusive, count }: Reputation): string {
  const word = junk === undefined ? 'unknown' : junk ? 'junk' : 'ham'
  return `${method} ${word}${conclusive ? ' conclusive' : ''} n=${count}`
}

function weightOf({ junk, conclusive }: Reputation): number {
  return (junk === undefined ? 0 : junk ? 1 : -1) * (conclusive ? 1 : 0.3)
}
