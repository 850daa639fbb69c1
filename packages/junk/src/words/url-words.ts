/** Words of a URL: its scheme, its host and the domains that is in, its path. Not here: finding URLs. RFC 3986 §3 */
import { CodeUnits } from './code-units.ts'
import { addUnitWords } from './text-words.ts'
import type { WordCollector, WordSource } from './word-collector.ts'

/** LIMIT: domains a host is in. */
const MAX_LABELS = 8
/** LIMIT: characters of a path and a query. */
const MAX_PATH_LENGTH = 200

const room = new CodeUnits()

/** Takes the words of a URL, in a stream of their own; which stands beside which says nothing. */
export function addUrlWords(url: string, source: WordSource, words: WordCollector): void {
  words.begin('url', source, false)
  const match = /^\s{0,16}([a-z][a-z0-9+.-]{0,20}):(?:\/\/)?([^/?#\\]{0,512})/i.exec(url)
  if (match === null) {
    words.addWhole('relative')
    addPath(url, words)
    return
  }
  const [head, scheme = '', authority = ''] = match
  words.addWhole(`${scheme.toLowerCase()}:`)
  const userEnd = authority.lastIndexOf('@')
  // What stands before an at sign is there to be taken for the host.
  if (userEnd >= 0 && scheme.toLowerCase() !== 'mailto') words.addWhole('user@')
  const place = unescape(authority.slice(userEnd + 1)).toLowerCase()
  const portStart = place.lastIndexOf(':')
  const host = portStart >= 0 && !place.endsWith(']') ? place.slice(0, portStart) : place
  if (portStart >= 0 && !place.endsWith(']')) words.addWhole(place.slice(portStart))
  addHost(host, words)
  addPath(url.slice(head.length), words)
}

function addPath(given: string, words: WordCollector): void {
  const path = unescape(given.slice(0, MAX_PATH_LENGTH))
  words.readFrom(path)
  addUnitWords(room.ofText(path), 0, path.length, words)
}

/** Takes a host's name and the domains it is in, or an address and the networks it is in. */
export function addHost(host: string, words: WordCollector): void {
  if (/^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(host)) {
    words.addWhole('address')
    for (let end = host.length; end > 0; end = host.lastIndexOf('.', end - 1)) words.addWhole(host.slice(0, end))
    return
  }
  let from = host.length
  for (let labels = 0; labels < MAX_LABELS && from > 0; labels += 1) {
    from = host.lastIndexOf('.', from - 1)
    words.addWhole(host.slice(from + 1))
  }
}

/** Percent-encoded octets as the characters of their numbers: what hides letters. RFC 3986 §2.1 */
function unescape(text: string): string {
  if (!text.includes('%')) return text
  return text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
