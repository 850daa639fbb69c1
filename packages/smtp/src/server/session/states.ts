/**
 * The whole state table of a conversation: which verbs each state takes, and where they lead. RFC 5321 §4.1.4.
 * Not here: TLS and authentication, which come beside it (requirements.ts), and what a verb does (commands/).
 */

/**
 * `connected`: greeted, no EHLO yet, or TLS has just begun. `ready`: EHLO or HELO was given. `mail`: a sender is accepted.
 * `rcpt`: one recipient at least is accepted. `chunks`: a chunk of a message came, taken or refused, and its last one is to come.
 * `refused`: a 5yz stood in place of the greeting; RFC 5321 §3.1 waits for QUIT.
 */
export type State = 'connected' | 'ready' | 'mail' | 'rcpt' | 'chunks' | 'refused'

/** Verbs of the server. */
export type Verb =
  | 'EHLO' | 'HELO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'BDAT'
  | 'RSET' | 'NOOP' | 'VRFY' | 'EXPN' | 'HELP' | 'QUIT'

/** What moves a conversation: a verb, or the last chunk of a message, which leads elsewhere than those before. RFC 3030 §2 */
export type Move = Verb | 'BDAT LAST'

/** A verb that is not in a state's row is answered 503. The state named is the one after success; a refusal stays where it is, but DATA's and the last chunk's end the transaction too. */
export const stateTable: Readonly<Record<State, Readonly<Partial<Record<Move, State>>>>> = {
  refused: { QUIT: 'refused' },
  connected: {
    EHLO: 'ready', HELO: 'ready', RSET: 'connected',
    NOOP: 'connected', VRFY: 'connected', EXPN: 'connected', HELP: 'connected', QUIT: 'connected',
  },
  ready: {
    EHLO: 'ready', HELO: 'ready', RSET: 'ready', STARTTLS: 'connected', AUTH: 'ready', MAIL: 'mail',
    NOOP: 'ready', VRFY: 'ready', EXPN: 'ready', HELP: 'ready', QUIT: 'ready',
  },
  mail: {
    EHLO: 'ready', HELO: 'ready', RSET: 'ready', RCPT: 'rcpt',
    NOOP: 'mail', VRFY: 'mail', EXPN: 'mail', HELP: 'mail', QUIT: 'mail',
  },
  rcpt: {
    EHLO: 'ready', HELO: 'ready', RSET: 'ready', RCPT: 'rcpt', DATA: 'ready', BDAT: 'chunks', 'BDAT LAST': 'ready',
    NOOP: 'rcpt', VRFY: 'rcpt', EXPN: 'rcpt', HELP: 'rcpt', QUIT: 'rcpt',
  },
  chunks: {
    EHLO: 'ready', HELO: 'ready', RSET: 'ready', BDAT: 'chunks', 'BDAT LAST': 'ready',
    NOOP: 'chunks', VRFY: 'chunks', EXPN: 'chunks', HELP: 'chunks', QUIT: 'chunks',
  },
}

/** States a verb is allowed in. */
export function statesOf(verb: Verb): readonly State[] {
  return (Object.keys(stateTable) as State[]).filter((state) => stateTable[state][verb] !== undefined)
}

/** Whether a transaction is open. */
export function isInTransaction(state: State): boolean {
  return state === 'mail' || state === 'rcpt' || state === 'chunks'
}
