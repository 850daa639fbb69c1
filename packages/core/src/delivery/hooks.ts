/** What a host application may say about a message on its way in. How its functions are called is for the server to say. */
import type { MessageEvidence, Signal } from '../analysis/index.ts'
import type { SpooledMessage } from '../store/index.ts'
import type { Reception } from './reception.ts'
import type { Refusal } from './refusal.ts'

/**
 * `accept` skips the checks of this step; `discard` answers as if the message were taken, and stores nothing. Codes of
 * `reject` are 5xx, of `tempfail` 4xx, of `disconnect` either; an enhanced code is of the class of its code.
 */
export type HookDecision =
  | { readonly action: 'continue' }
  | { readonly action: 'accept'; readonly note?: string }
  | { readonly action: 'reject' | 'tempfail'; readonly code?: number; readonly enhanced?: string; readonly text?: string }
  | { readonly action: 'disconnect'; readonly code?: number; readonly text?: string }
  | { readonly action: 'discard' }

export interface MessageContext {
  readonly reception: Reception
  readonly message: SpooledMessage
  readonly evidence: MessageEvidence
}

/** Asked once for each message, after its sender was looked into and before its recipients are. */
export type MessageHook = (context: MessageContext) => Promise<HookDecision>

export interface DeliverContext extends MessageContext {
  readonly account: string
  /** Where it is about to go. */
  readonly mailbox: string
  readonly reason: string
  readonly signals: readonly Signal[]
}

/** Asked for each account a message is about to be stored for. `file` says where, and with which flags. */
export type DeliverHook = (
  context: DeliverContext,
) => Promise<HookDecision | { readonly action: 'file'; readonly mailbox: string; readonly flags?: readonly string[] }>

/** What a decision tells the sender; undefined when he may go on. */
export function refusalByHook(decision: HookDecision): Refusal | undefined {
  switch (decision.action) {
    case 'reject':
      return { code: decision.code ?? 550, enhanced: decision.enhanced ?? '5.7.1', text: decision.text ?? 'Refused by policy', reason: 'hook', slow: false }
    case 'tempfail':
      return { code: decision.code ?? 451, enhanced: decision.enhanced ?? '4.7.1', text: decision.text ?? 'Not now, try again later', reason: 'hook', slow: false }
    case 'disconnect': {
      const { code = 421, text = 'Closing' } = decision
      return { code, enhanced: `${Math.floor(code / 100)}.7.0`, text, reason: 'hook', slow: false }
    }
    case 'accept':
    case 'continue':
    case 'discard':
      return undefined
  }
}
