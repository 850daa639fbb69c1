/** What was learned of one message and its sender, before anybody was asked whether he wants it. The same for all recipients. */
import type { OctetRange } from '../message/index.ts'
import type { Evidence } from './decide.ts'
import type { HeaderFacts } from './header-facts.ts'
import type { Sender } from './sender.ts'

/** For logs, events and pages: results in the words of the standards. */
export interface AnalysisSummary {
  readonly spf: string
  readonly dkim: readonly { readonly domain: string; readonly selector: string; readonly result: string }[]
  readonly dmarc: string
  readonly arc: string
  readonly reverseName: string
  readonly tls: boolean
}

export interface MessageEvidence extends Pick<Evidence, 'mailFromSpf' | 'dmarc' | 'reverseName' | 'tls'> {
  /** Nothing is to be checked: the development server, or mail the host application vouches for. */
  readonly trusted: boolean
  readonly header: HeaderFacts
  readonly sender: Sender
  /** The name of the sending address: the confirmed one, else the first it was said to have. */
  readonly reverseHost: string | undefined
  /** Unicode: what SPF passed for, and domains of passing DKIM signatures. */
  readonly verifiedDomains: readonly string[]
  /** A signature of the From domain itself may vouch for a TLS report. RFC 8460 §3 */
  readonly signedByFrom: boolean
  /** Value of Authentication-Results, folded; undefined when nothing was looked up. RFC 8601 */
  readonly authenticationResults: string | undefined
  /** Value of Received-SPF; undefined when SPF was not checked. RFC 7208 §9.1 */
  readonly receivedSpf: string | undefined
  /** Fields of the header that claim to be ours and are taken out. RFC 8601 §5 */
  readonly forgedFields: readonly OctetRange[]
  readonly summary: AnalysisSummary
}
