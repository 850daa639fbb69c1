/**
 * Names and passwords made comparable: PRECIS, the successor of SASLprep (RFC 8265, RFC 8264).
 * Not here: whether a name exists, or which spellings a domain takes for the same.
 */

/**
 * Longest name or password taken. LIMIT: RFC 4616 §2 asks for 255 octets; four times that costs nothing and bounds
 * every later step.
 */
export const MAX_SECRET_OCTETS = 1024

/** Why a name or password cannot be used. */
export type PreparationFault = 'empty' | 'too-long' | 'not-utf-8' | 'forbidden-character'

/** A prepared string, or why there is none. */
export type Preparation =
  | { readonly kind: 'prepared'; readonly text: string }
  | { readonly kind: 'refused'; readonly fault: PreparationFault }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

// Outside FreeformClass (RFC 8264 §4.3): controls, unassigned, private use, surrogates, format characters, default
// ignorables other than the joiners, old Hangul jamo, and the exceptions of RFC 5892 §2.6.
// LIMIT: the contextual rules of RFC 5892 appendix A are not applied; they guard names that are shown, not passwords
// that are hashed.
const FORBIDDEN =
  /[^\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}\p{Join_Control}]|(?!\p{Join_Control})\p{Default_Ignorable_Code_Point}/u
const FORBIDDEN_EXCEPTIONS = /[\u302e\u302f\u0640\u07fa\u1100-\u11ff\u3031-\u3035\u303b\ua960-\ua97f\ud7b0-\ud7ff]/

/** Octets as text, or `undefined` when they are not UTF-8. */
export function decodeUtf8(octets: Uint8Array): string | undefined {
  try {
    return decoder.decode(octets)
  } catch {
    // A fatal decoder has this one way of saying no.
    return undefined
  }
}

/** Enforces OpaqueString: other spaces become SPACE, then NFC; case is kept. RFC 8265 §4.2.2. */
export function preparePassword(password: Uint8Array | string): Preparation {
  return prepare(password, (text) => text.replace(/\p{Zs}/gu, ' '))
}

/**
 * Prepares a login name: NFC, with the domain after the last `@` in lower case. Ours; the local part keeps its case.
 */
export function prepareLogin(login: Uint8Array | string): Preparation {
  return prepare(login, (text) => {
    const at = text.lastIndexOf('@')
    return at < 0 ? text : text.slice(0, at) + text.slice(at).toLowerCase()
  })
}

/** Text of a preparation, or `undefined`. */
export function preparedText(preparation: Preparation): string | undefined {
  return preparation.kind === 'prepared' ? preparation.text : undefined
}

function prepare(input: Uint8Array | string, map: (text: string) => string): Preparation {
  // A string of n units has at least n octets: the cap holds before anything is encoded.
  if (input.length > MAX_SECRET_OCTETS) return { kind: 'refused', fault: 'too-long' }
  if (input.length === 0) return { kind: 'refused', fault: 'empty' }
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  if (text === undefined) return { kind: 'refused', fault: 'not-utf-8' }
  if (typeof input === 'string' && encoder.encode(input).length > MAX_SECRET_OCTETS) {
    return { kind: 'refused', fault: 'too-long' }
  }
  if (FORBIDDEN.test(text) || FORBIDDEN_EXCEPTIONS.test(text)) return { kind: 'refused', fault: 'forbidden-character' }
  return { kind: 'prepared', text: map(text).normalize('NFC') }
}
