/** What a filter of content must do to take part in the decision. Without one the decision stands on the rest. */
import type { SpooledMessage } from '../store/index.ts'

/** What the words of a message say. */
export interface Classification {
  /** That it is junk, 0 to 1. */
  readonly probability: number
  /** The filter has learned enough from this account for its word to count. */
  readonly significant: boolean
  /** Above this the filter takes a message for junk: a threshold belongs to a way of scoring. An account's own goes before it. */
  readonly threshold?: number
  /** Words that decided, for logs and pages. */
  readonly words?: readonly { readonly word: string; readonly probability: number }[]
}

/** A filter of content by account. */
export interface Classifier {
  /** Resolves with undefined when the account has no filter. A rejection makes the sender come back later. */
  classify(account: string, message: SpooledMessage, options: { readonly signal: AbortSignal }): Promise<Classification | undefined>
}
