/** The ARC sets of a message: three fields for each host that passed it on. RFC 8617 §4.1 */
import type { HeaderIndex } from '../dkim/signed-fields.ts'
import { decodeBase64Tag, parseTagList } from '../dkim/tag-list.ts'

export type ChainStatus = 'none' | 'pass' | 'fail'

/** Octets of whole fields. */
export interface ArcSet {
  readonly instance: number
  readonly results: Uint8Array
  readonly message: Uint8Array
  readonly seal: Uint8Array
  /** Values as text. */
  readonly messageValue: string
  readonly sealValue: string
}

/** RFC 8617 §4.2.1 */
export const MAX_INSTANCES = 50

/** @returns the sets from the first on, or why they are no chain; empty when there are none */
export function readArcSets(header: HeaderIndex): readonly ArcSet[] | string {
  const results = header.fields('arc-authentication-results')
  const messages = header.fields('arc-message-signature')
  const seals = header.fields('arc-seal')
  const count = seals.length
  if (results.length !== count || messages.length !== count) return 'fields of a set are missing'
  if (count === 0) return []
  if (count > MAX_INSTANCES) return `more than ${MAX_INSTANCES} sets`
  const byInstance = (fields: typeof seals, read: (value: string) => string | undefined): Map<number, (typeof seals)[number]> => {
    const found = new Map<number, (typeof seals)[number]>()
    for (const field of fields) {
      const instance = read(header.value(field))
      if (instance !== undefined && /^[1-9][0-9]?$/.test(instance)) found.set(Number(instance), field)
    }
    return found
  }
  const tag = (value: string): string | undefined => parseTagList(value)?.get('i')
  // The instance stands before the results, which are no tag list. RFC 8617 §4.1.1
  const leading = (value: string): string | undefined => /^\s*i\s*=\s*([0-9]+)\s*;/.exec(value)?.[1]
  const [resultsOf, messageOf, sealOf] = [byInstance(results, leading), byInstance(messages, tag), byInstance(seals, tag)]
  const sets: ArcSet[] = []
  for (let instance = 1; instance <= count; instance += 1) {
    const [result, message, seal] = [resultsOf.get(instance), messageOf.get(instance), sealOf.get(instance)]
    if (result === undefined || message === undefined || seal === undefined) return `set ${instance} is not whole`
    sets.push({
      instance,
      results: header.octets(result),
      message: header.octets(message),
      seal: header.octets(seal),
      messageValue: header.value(message),
      sealValue: header.value(seal),
    })
  }
  return sets
}

/** A seal as its field tells it. RFC 8617 §4.1.3 */
export interface Seal {
  readonly algorithm: 'rsa-sha256' | 'ed25519-sha256'
  readonly status: ChainStatus
  readonly domain: string
  readonly selector: string
  readonly signature: Uint8Array
}

/** @returns why it is none, as text */
export function parseSeal(value: string): Seal | string {
  const tags = parseTagList(value)
  if (tags === undefined) return 'seal can not be read'
  for (const tag of ['i', 'a', 'b', 'cv', 'd', 's']) if (!tags.has(tag)) return `seal has no ${tag}=`
  for (const tag of ['h', 'bh']) if (tags.has(tag)) return `seal has ${tag}=`
  const algorithm = tags.get('a')?.toLowerCase()
  const status = tags.get('cv')?.toLowerCase()
  const signature = decodeBase64Tag(tags.get('b') ?? '')
  if (algorithm !== 'rsa-sha256' && algorithm !== 'ed25519-sha256') return 'algorithm of the seal is not known'
  if (status !== 'none' && status !== 'pass' && status !== 'fail') return 'cv= of the seal is not known'
  if (signature === undefined || signature.length > 1_024) return 'seal has no signature'
  const timestamp = tags.get('t')
  if (timestamp !== undefined && !/^[0-9]{1,12}$/.test(timestamp)) return 't= of the seal is not a time'
  return { algorithm, status, domain: (tags.get('d') ?? '').toLowerCase(), selector: tags.get('s') ?? '', signature }
}
