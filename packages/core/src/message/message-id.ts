/** Message identifiers: Message-ID, In-Reply-To, References. RFC 5322 §3.6.4. Not here: threads made of them. */
import type { Random } from '../host/index.ts'
import { type AddressToken, AddressTokens, type Work } from './address-tokens.ts'

/** LIMIT: longer ones can't stand on a line and are passed over. RFC 5322 §2.1.1 */
const MAX_ID = 998

/**
 * Identifiers of a field in order, without angle brackets, white space and comments; a quoted localpart without its
 * quotes.
 * LENIENT: when nothing is in brackets, words with "@" count, or the only word.
 * @param value of the field, folded or not
 * @param options.maxIds where reading stops, 1,000 by default @param options.work counts octets looked at
 */
export function parseMessageIds(
  value: Uint8Array,
  options: { readonly maxIds?: number; readonly work?: Work } = {},
): string[] {
  const { maxIds = 1000, work = { steps: 0 } } = options
  const tokens = new AddressTokens(value, work)
  const ids: string[] = []
  const bare: string[] = []
  let open: string[] | undefined
  let word = ''
  const endWord = (): void => {
    if (word !== '' && bare.length < maxIds) bare.push(word)
    word = ''
  }
  for (let token = tokens.next(); token.kind !== 'end' && ids.length < maxIds; token = tokens.next()) {
    if (token.kind === 'comment') continue
    if (token.kind === '<') {
      open = []
    } else if (token.kind === '>') {
      const id = open?.join('') ?? ''
      if (id !== '' && id.length <= MAX_ID) ids.push(id)
      open = undefined
    } else if (open !== undefined) {
      open.push(textOf(token))
    } else {
      if (token.spaced) endWord()
      word += textOf(token)
    }
  }
  endWord()
  if (ids.length > 0) return ids
  const likely = bare.length === 1 ? bare : bare.filter((text) => text.includes('@'))
  return likely.filter((text) => text.length <= MAX_ID)
}

/** A new identifier, without angle brackets: 16 random octets in base64url, "@", `hostname`. RFC 5322 §3.6.4 */
export function createMessageId(random: Random, hostname: string): string {
  return `${Buffer.from(random(16)).toString('base64url')}@${hostname}`
}

/** Text of a token; controls, which no identifier has, are left out. */
function textOf(token: AddressToken): string {
  return utf8.decode(token.octets).replaceAll(/[\x00-\x1f\x7f]/g, '')
}

const utf8 = new TextDecoder()
