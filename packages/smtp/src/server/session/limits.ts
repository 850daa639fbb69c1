/** Limits of one conversation, all of them. Not here: how often a peer may knock, which is the host's to count. */

/** Every number a conversation is held to. Octets, milliseconds and counts; all ≥ 1 unless said otherwise. */
export interface SmtpLimits {
  /** Longest command line without its CR LF. RFC 5321 §4.5.3.1.4 asks for 510; extensions add to it (RFC 1870 26, RFC 4954 500, …). */
  readonly maxLineOctets: number
  /** Longest line of an authentication exchange without its CR LF; with it the 12,288 of RFC 4954 §4. */
  readonly maxAuthLineOctets: number
  /** Longest message, as SIZE announces it. RFC 5321 §4.5.3.1.7 asks for 65,536. */
  readonly maxMessageOctets: number
  /** Octets of a message that is refused already, read and dropped so that its sender hears why. */
  readonly maxDiscardOctets: number
  /** Recipients of one transaction; further ones hear 452. RFC 5321 §4.5.3.1.8 asks for 100. LIMITS tells of it. */
  readonly maxRecipients: number
  /** Refused commands since the last success (a message, a login) before each further one is answered late. */
  readonly errorsBeforeDelay: number
  /** How late. */
  readonly errorDelayMs: number
  /** Refused commands since the last success before the conversation is ended. */
  readonly errorsBeforeClose: number
  /** Commands that do nothing for a message (NOOP, RSET, EHLO, …) since the last message; each further one counts as refused. */
  readonly maxIdleCommands: number
  /** Transactions that failed after their data had come, none ever having succeeded, before MAIL is refused. */
  readonly maxFailedTransactions: number
  /** Failed logins before each further one is answered late: by `authDelayMs`, then twice that, and so on. */
  readonly authFailuresBeforeDelay: number
  readonly authDelayMs: number
  /** Failed logins before the conversation is ended. */
  readonly maxAuthFailures: number
  /** Failed logins since the last good one before the peer is served slowly. */
  readonly authFailuresBeforeSlow: number
  /** Slow service: pause before each reply, and between its octets. 0: there is none. */
  readonly slowPauseMs: number
  /** Slow service: time a reply may take, and how much of it must be left when the rest is sent in one go. */
  readonly slowReplyMs: number
  readonly slowTailMs: number
  /** Patience for the next command. RFC 5321 §4.5.3.2.7 asks for 5 minutes. */
  readonly commandMs: number
  /** Submission: time from the greeting to a login. */
  readonly loginMs: number
  /** Length of the window in which some of a message must come. RFC 5321 §4.5.3.2.5: 3 minutes a block. */
  readonly dataMs: number
  /** What must come in each such window: slower peers are not sending mail, they are holding a connection. */
  readonly minDataOctets: number
  /** Time for the whole of a message's data. */
  readonly dataTotalMs: number
  /** Time for a conversation; then it ends at the next point between transactions. */
  readonly totalMs: number
}

export const defaultLimits: SmtpLimits = {
  maxLineOctets: 4_094,
  maxAuthLineOctets: 12_286,
  maxMessageOctets: 104_857_600,
  maxDiscardOctets: 33_554_432,
  maxRecipients: 1_000,
  errorsBeforeDelay: 10,
  errorDelayMs: 1_000,
  errorsBeforeClose: 30,
  maxIdleCommands: 100,
  maxFailedTransactions: 10,
  authFailuresBeforeDelay: 2,
  authDelayMs: 1_000,
  maxAuthFailures: 10,
  authFailuresBeforeSlow: 3,
  slowPauseMs: 1_000,
  slowReplyMs: 30_000,
  slowTailMs: 5_000,
  commandMs: 300_000,
  loginMs: 180_000,
  dataMs: 180_000,
  minDataOctets: 18_000,
  dataTotalMs: 1_800_000,
  totalMs: 7_200_000,
}
