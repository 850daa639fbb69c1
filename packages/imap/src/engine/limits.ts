/** What one conversation may use up. */
import type { SessionLimits } from '../session/session.ts'
import type { CommandLimits } from '../syntax/frames.ts'

export interface ImapLimits extends SessionLimits {
  /** What one command may hold once somebody is logged in. */
  readonly command: CommandLimits
  /** The same before login. */
  readonly commandBeforeLogin: CommandLimits
  /** BADs one after another before the connection is closed. */
  readonly badCommands: number
  /** From the greeting to a login, and for each command before it. */
  readonly loginTimeoutMs: number
  /** Without a command; no less than 30 minutes, RFC 3501 §5.4. */
  readonly idleTimeoutMs: number
  /** Without an octet of a literal that is being sent. */
  readonly literalTimeoutMs: number
  /** Changes that come in bursts are told together. */
  readonly updateDelayMs: number
  /** IDLE looks for changes this often of itself, since notices may be lost. */
  readonly updatePollMs: number
}

const KIB = 1024
const MINUTE_MS = 60_000

export const DEFAULT_LIMITS: ImapLimits = {
  // LIMIT: RFC 2683 §3.2.1.5 asks for 8,000 octets a line and more; real clients send UID sets of some 30 KiB.
  command: { lineOctets: 64 * KIB, literals: 1000, literalOctets: 1024 * KIB, discardOctets: 64 * KIB },
  // LIMIT: room for the longest SASL message (8,192 octets) in base64; nobody has said yet who he is.
  commandBeforeLogin: { lineOctets: 12 * KIB, literals: 20, literalOctets: 64 * KIB, discardOctets: 64 * KIB },
  messageOctets: 100 * 1024 * KIB,
  failedLogins: 5,
  failedLoginDelayMs: 1000,
  badCommands: 20,
  loginTimeoutMs: 3 * MINUTE_MS,
  idleTimeoutMs: 30 * MINUTE_MS,
  literalTimeoutMs: 2 * MINUTE_MS,
  updateDelayMs: 100,
  updatePollMs: 30_000,
}
