/**
 * The contract of a SASL exchange, server half and client half: octets in, octets out (RFC 4422 §3).
 * Not here: base64, `*` to cancel, reply codes: those belong to the protocol that carries the exchange.
 */

/** Mechanisms spoken here, strongest first. */
export const MECHANISMS = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN'] as const

/** Registered name of a mechanism spoken here. */
export type MechanismName = (typeof MECHANISMS)[number]

/**
 * Longest message taken from a peer. LIMIT: names and passwords of 1,024 octets each, three of them, with room for
 * SCRAM's escapes.
 */
export const MAX_MESSAGE_OCTETS = 8192

/** Why an exchange failed. Everything but `credentials` and `authorization` says nothing about the password. */
export type FailureReason =
  /** Name and password do not belong together; said alike of names that exist and names that do not. */
  | 'credentials'
  /** The message breaks the mechanism's grammar. */
  | 'malformed'
  /** The peer asked to act as somebody else. */
  | 'authorization'
  /** Too many passwords wait to be checked: try again. */
  | 'busy'
  /** Passwords cannot be checked now: the server is closing. */
  | 'unavailable'

/**
 * What the server does next. The engine sends a challenge and hands the answer to `respond`; anything else ends the
 * exchange.
 */
export type Step =
  | { readonly kind: 'challenge'; readonly message: Uint8Array }
  /** `account` is who the credentials belong to, `login` the prepared name they were found under. */
  | { readonly kind: 'authenticated'; readonly account: string; readonly login: string }
  /** `login` as far as it was understood: for logs and limits, never for the peer. */
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly login?: string }

/** A step that ends the exchange. */
export type FinalStep = Exclude<Step, { kind: 'challenge' }>

/** Server half of one exchange. To cancel it, drop it: it holds nothing. */
export interface ServerExchange {
  /**
   * Takes the client's next message. Called again only after the step before has settled.
   * @param message octets after base64; `undefined` only on the first call, when no initial response came
   * @throws only what the credential source or the hasher throws; what a peer sends never throws
   */
  respond(message: Uint8Array | undefined): Step | Promise<Step>
}

/** What the client does next. */
export type ClientStep =
  | { readonly kind: 'response'; readonly message: Uint8Array }
  /** Cancel with `*`. */
  | { readonly kind: 'failed'; readonly reason: ClientFailureReason }

/** Why a client gives up. */
export type ClientFailureReason =
  /** The challenge breaks the mechanism's grammar, or none was due. */
  | 'malformed'
  /** The server does not know the password it asks for, or asks in a way that would give it away. */
  | 'server'
  /** The server said no. */
  | 'refused'
  /** The mechanism has no form for this name or password. */
  | 'unsendable'
  /** Our own hasher has too much to do, or is closing. */
  | 'busy'
  | 'unavailable'

/** Client half of one exchange. */
export interface ClientExchange {
  /**
   * Whether the client speaks first: then `respond(undefined)` gives the initial response, to send at once or to
   * answer an empty challenge.
   */
  readonly clientFirst: boolean
  /** Whether success may be believed now; false while the server still has to prove itself (RFC 5802 §5). */
  readonly complete: boolean
  respond(challenge: Uint8Array | undefined): ClientStep | Promise<ClientStep>
}

/** A failed step; leaves `login` out when there is none. */
export function failed(reason: FailureReason, login?: string): FinalStep {
  return login === undefined ? { kind: 'failed', reason } : { kind: 'failed', reason, login }
}
