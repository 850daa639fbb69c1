/**
 * The contract of a protocol engine: one conversation as a synchronous machine, SMTP and IMAP, server and client alike.
 * An engine holds no socket, no timer and no clock of its own: octets go in by `feed`, effects come out by `next`, and a
 * driver (`drive.ts`) performs them on any duplex stream. That is what lets a test cut the input anywhere and lets a
 * host run a conversation over whatever it likes.
 */
import type { TlsInfo } from '../host/index.ts'

/** One conversation. Methods are never called from inside one another, and never after an effect of kind `close`. */
export interface Engine {
  /** Takes ownership of the next octets from the peer; called only while `hungry`. */
  feed(octets: Uint8Array): void
  /**
   * Without `error`: the peer has closed its side; what it sent before may still be answered, then the engine closes.
   * With `error`: the connection is gone and nothing can be written; may follow the other.
   */
  end(error?: Error): void
  /** The next thing to do, or `undefined` when there is nothing until the engine is fed, woken or timed. Synchronous. */
  next(): Effect | undefined
  /** Registers the one function to call when something happened elsewhere (a command went on, a mailbox changed): the driver then calls `next` again. */
  onWake(wake: () => void): void
  /** A timer set by an effect has run out. */
  timeout(name: TimerName): void
  /** The upgrade asked for by an effect is done. */
  upgraded(tls: TlsInfo): void
  /** Asks the conversation to end at the next point its protocol allows (SMTP 421 between transactions, IMAP BYE). */
  stop(): void
  /** Whether more octets are welcome; false while a command runs or a sink is slow: the driver stops reading the peer. */
  readonly hungry: boolean
}

/** Timers an engine may have running; setting one anew replaces it. */
export type TimerName = 'command' | 'login' | 'data' | 'idle' | 'total' | 'updates'

/** Why a conversation ended; told in logs and events. */
export type CloseReason = 'quit' | 'peer-closed' | 'reset' | 'timeout' | 'tls' | 'limit' | 'protocol' | 'shutdown' | 'fault'

/** What a driver is asked to do, in order. */
export type Effect =
  /** Send these octets; the driver asks for nothing more while the stream is above its high-water mark. Never changed afterwards. */
  | { readonly kind: 'write'; readonly octets: readonly Uint8Array[] }
  /** Flush what was written, then start TLS as the server. The engine has made sure that nothing of the peer's is buffered. */
  | { readonly kind: 'upgrade'; readonly to: 'tls' }
  /** Call `timeout(name)` after `ms` milliseconds; `undefined` takes the timer back. */
  | { readonly kind: 'timer'; readonly name: TimerName; readonly ms: number | undefined }
  /** Perform no further effect and read nothing for `ms` milliseconds. */
  | { readonly kind: 'pause'; readonly ms: number }
  /** End the connection: after what was written has gone out, or at once. */
  | { readonly kind: 'close'; readonly how: 'flushed' | 'now'; readonly reason: CloseReason }
