/** What the server asks of its thread for messages, and what that thread asks back. All of it can be cloned. */
import type { Arrival, MessageEvidence } from '@postern/core/analysis'
import type { DnsAnswer, DnsErrorCode, DnsKind } from '@postern/core/host'
import type { ReadWords } from '@postern/junk/filter'

/** What the thread does. */
export type ThreadCalls = {
  /** Who sent a message, and, when they are `wanted`, the words in it. `message` is all of it. */
  readonly gather: {
    readonly asked: {
      readonly message: Uint8Array
      readonly headerOctets: number
      readonly bodyStart: number
      readonly arrival: Arrival
      readonly hostname: string
      readonly words: boolean
    }
    /** What was read of the header is read again where it is needed: it comes as functions. */
    readonly answer: { readonly evidence: Omit<MessageEvidence, 'header'>; readonly words: ReadWords | undefined }
  }
  /** Keys of a message's words, all that learning needs. */
  readonly keys: { readonly asked: Uint8Array; readonly answer: Uint32Array }
  readonly words: { readonly asked: Uint8Array; readonly answer: ReadWords }
}

/** What it needs for that. */
export type ServerCalls = {
  readonly lookUp: {
    readonly asked: { readonly name: string; readonly kind: DnsKind }
    readonly answer: { readonly found: DnsAnswer<DnsKind> } | { readonly failed: DnsErrorCode; readonly text: string }
  }
}
