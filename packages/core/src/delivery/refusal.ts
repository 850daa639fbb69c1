/** Why a message is not taken: what the sender is told, and what logs and events call it. */
import type { Reason } from '../analysis/index.ts'

/** Keyword of a refusal, for logs, metrics and events. */
export type RefusalReason =
  | Reason
  | 'loop'
  | 'header'
  | 'unknown-recipient'
  /** Not a domain of ours. */
  | 'relay'
  /** The name in HELO leads nowhere. */
  | 'helo'
  /** The sender's domain takes no mail, or can't be found. */
  | 'sender-domain'
  /** More recipients than this sender may name at a time. */
  | 'recipients'
  /** Too much from one network for one account. */
  | 'rate'
  | 'hook'
  /** There is no room, or nothing may be written. */
  | 'storage'
  /** The analysis itself failed, or took too long. */
  | 'analysis-error'

export interface Refusal {
  /** 4xx or 5xx. */
  readonly code: number
  /** RFC 3463 */
  readonly enhanced: string
  /** One line of ASCII. */
  readonly text: string
  readonly reason: RefusalReason
  /** The peer is served slowly from here on. */
  readonly slow: boolean
}

/** RFC 5321 §3.3 */
export const noSuchMailbox: Refusal = { code: 550, enhanced: '5.1.1', text: 'No such mailbox here', reason: 'unknown-recipient', slow: false }

/** Of several, the one to tell for a message as a whole: for good before for now, else the first. */
export function strictest(refusals: readonly Refusal[]): Refusal | undefined {
  return refusals.find(({ code }) => code >= 500) ?? refusals[0]
}

/** How a reject by the analysis is told. Junk hears what anybody hears when something is broken: it must not learn what gave it away. */
export function refusalOf(reason: Reason, tell: 'policy' | 'junk' | 'pass', pass?: string): Refusal {
  switch (tell) {
    case 'policy':
      return { code: 550, enhanced: '5.7.26', text: 'The sender\'s domain asks to reject mail it did not authenticate (DMARC)', reason, slow: true }
    case 'junk':
      return { code: 451, enhanced: '4.3.0', text: 'Processing failed, try again later', reason, slow: true }
    case 'pass':
      return {
        code: 550,
        enhanced: '5.7.1',
        text: `This looks like junk. If it is not, send it again with this added to the subject: ${pass ?? ''}`,
        reason,
        slow: true,
      }
  }
}
