/**
 * The keyword names of a mailbox: a list that only ever grows at its end, so that a place in it can stand for a name.
 * Names are compared without regard to ASCII case and kept as first written. RFC 9051 §2.3.2
 */

/** LIMIT: the names of a mailbox lie in one record of the default store, beside its own name. */
const MAX_NAMES = 256
const MAX_NAMES_OCTETS = 6000
/** LIMIT: no client writes longer ones, and one name must not use up what all of them share. */
const MAX_NAME_OCTETS = 256

/**
 * The list with those of `more` that it lacks added at its end; the same list when it lacks none. Names over a limit
 * (256 names, 6,000 octets in all, 256 octets each) are left out.
 */
export function addKeywords(names: readonly string[], more: readonly string[]): readonly string[] {
  if (more.length === 0) return names
  const known = new Set(names.map(foldKeyword))
  let octets = names.reduce((sum, name) => sum + Buffer.byteLength(name), 0)
  const added: string[] = []
  for (const name of more) {
    const nameOctets = Buffer.byteLength(name)
    if (known.has(foldKeyword(name))) continue
    if (nameOctets === 0 || nameOctets > MAX_NAME_OCTETS || octets + nameOctets > MAX_NAMES_OCTETS) continue
    if (names.length + added.length >= MAX_NAMES) break
    known.add(foldKeyword(name))
    octets += nameOctets
    added.push(name)
  }
  return added.length === 0 ? names : [...names, ...added]
}

/** Places of `wanted` in `names`, ascending; names that are not there are left out. */
export function keywordPlaces(names: readonly string[], wanted: readonly string[]): readonly number[] {
  if (wanted.length === 0) return []
  const places = new Map(names.map((name, place) => [foldKeyword(name), place]))
  const found = new Set<number>()
  for (const name of wanted) {
    const place = places.get(foldKeyword(name))
    if (place !== undefined) found.add(place)
  }
  return [...found].sort((a, b) => a - b)
}

/** The form in which two keywords are the same when they are equal: ASCII letters in lower case. */
export function foldKeyword(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
