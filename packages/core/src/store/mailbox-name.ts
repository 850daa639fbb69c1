/**
 * What may be the name of a mailbox: one rule for every store. Not here: how IMAP writes names on the wire.
 */

/** Longest name. LIMIT: a record of the default store holds name, keywords and uses in one page. */
const MAX_NAME_OCTETS = 1000
/** Deepest name. LIMIT: creating a mailbox creates its parents in one commit. */
const MAX_LEVELS = 32
/** C0, DEL, C1, line and paragraph separator, and halves of surrogate pairs. */
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u

export type MailboxName =
  | { readonly kind: 'name'; readonly name: string }
  /** `reason` is a sentence for the user. */
  | { readonly kind: 'bad-name'; readonly reason: string }

/**
 * Checks a name and brings it into the one form it is stored in: NFC, first level `INBOX` when it is that in any case
 * (RFC 9051 §5.1), so that every level above a mailbox is itself a mailbox.
 * @param name UTF-8 text, levels separated by `/`
 */
export function parseMailboxName(name: string): MailboxName {
  const levels = name.normalize('NFC').split('/')
  if (levels.includes('')) return { kind: 'bad-name', reason: 'A mailbox name has no empty level' }
  if (FORBIDDEN.test(name)) return { kind: 'bad-name', reason: 'A mailbox name has no control characters' }
  if (levels.length > MAX_LEVELS) return { kind: 'bad-name', reason: `A mailbox name has at most ${MAX_LEVELS} levels` }
  if ((levels[0] as string).toUpperCase() === 'INBOX') levels[0] = 'INBOX'
  const whole = levels.join('/')
  if (Buffer.byteLength(whole) > MAX_NAME_OCTETS) {
    return { kind: 'bad-name', reason: `A mailbox name has at most ${MAX_NAME_OCTETS} octets` }
  }
  return { kind: 'name', name: whole }
}

/** Names of the mailboxes above one, the highest first. @param name as `parseMailboxName` gives it */
export function parentNames(name: string): readonly string[] {
  const parents: string[] = []
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) parents.push(name.slice(0, at))
  return parents
}
