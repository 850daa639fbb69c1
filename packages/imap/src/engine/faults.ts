/** What a client hears when a command threw instead of answering. */
import { WireSyntaxError } from '@postern/core/conversation'
import { StoreError } from '@postern/core/store'
import { bad, no, type Completion } from '../responses/completion.ts'

/** A thrown error as a completion; `fault` when it is one of ours, to be logged. RFC 5530 §3 */
export function completionOf(error: unknown): { readonly completion: Completion; readonly fault: boolean } {
  if (error instanceof WireSyntaxError) return { completion: bad(error.message), fault: false }
  if (error instanceof StoreError) {
    if (error.code === 'STORE_FULL') return { completion: no('UNAVAILABLE', 'No space left, try later'), fault: true }
    if (error.code === 'STORE_BUSY') return { completion: no('UNAVAILABLE', 'Too busy, try again'), fault: false }
  }
  return { completion: no('SERVERBUG', 'Internal error, it has been logged'), fault: true }
}
