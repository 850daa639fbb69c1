/** What the server asks of its thread for messages, and what that thread asks back. All of it can be cloned. */
import type { Arrival, MessageEvidence } from '@postern/core/analysis'
import type { DnsAnswer, DnsErrorCode, DnsKind } from '@postern/core/host'
import type { CorpusCounts } from '@postern/junk/corpus'
import type { JunkClassification, JunkFilterSettings } from '@postern/junk/filter'

/** What the thread does. */
export type ThreadCalls = {
  /** Who sent a message. `message` is all of it. */
  readonly gather: {
    readonly asked: { readonly message: Uint8Array; readonly headerOctets: number; readonly bodyStart: number; readonly arrival: Arrival; readonly hostname: string }
    /** What was read of the header is read again where it is needed: it comes as functions. */
    readonly answer: Omit<MessageEvidence, 'header'>
  }
  /** Keys of a message's words. */
  readonly keys: { readonly asked: Uint8Array; readonly answer: Uint32Array }
  /** `job` names it when counts are asked for. */
  readonly classify: { readonly asked: { readonly job: number; readonly message: Uint8Array; readonly settings: JunkFilterSettings }; readonly answer: JunkClassification }
}

/** What it needs for that. */
export type ServerCalls = {
  readonly lookUp: {
    readonly asked: { readonly name: string; readonly kind: DnsKind }
    readonly answer: { readonly found: DnsAnswer<DnsKind> } | { readonly failed: DnsErrorCode; readonly text: string }
  }
  readonly counts: { readonly asked: { readonly job: number; readonly keys: Uint32Array }; readonly answer: CorpusCounts }
}
