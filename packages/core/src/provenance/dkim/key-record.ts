/** Public keys as TXT records hold them, and their look-up. RFC 6376 §3.6 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { DnsError, type Resolver } from '../../host/index.ts'
import { ParsedRecords } from '../parsed-records.ts'
import { decodeBase64Tag, parseTagList, splitColons } from './tag-list.ts'

export interface DkimKey {
  readonly kind: 'rsa' | 'ed25519'
  readonly key: KeyObject
  /** Of the modulus for RSA; 256 for Ed25519. */
  readonly bits: number
  /** Hash algorithms it may be used with, lower case; undefined: all. */
  readonly hashes: readonly string[] | undefined
  /** Services it may be used for; undefined: all. */
  readonly services: readonly string[] | undefined
  /** t=y: the owner is only trying. */
  readonly testing: boolean
  /** t=s: i= must have exactly the domain of d=. */
  readonly strict: boolean
}

/** @returns what is wrong, as text, when it is no key record; `revoked` for an empty key */
export function parseKeyRecord(text: string): DkimKey | string {
  const tags = parseTagList(text)
  if (tags === undefined) return 'key record can not be read'
  if (tags.has('v') && (tags.get('v') !== 'DKIM1' || [...tags.keys()][0] !== 'v')) return 'key record has another version'
  const material = tags.get('p')
  if (material === undefined) return 'key record has no key'
  if (material.replaceAll(/\s/g, '') === '') return 'key is revoked'
  const kind = (tags.get('k') ?? 'rsa').toLowerCase()
  if (kind !== 'rsa' && kind !== 'ed25519') return 'kind of key is not known'
  const octets = decodeBase64Tag(material)
  const key = octets === undefined ? undefined : kind === 'rsa' ? rsaKey(octets) : ed25519Key(octets)
  if (key === undefined) return 'key can not be read'
  const flags = splitColons((tags.get('t') ?? '').toLowerCase())
  const listOf = (tag: string): readonly string[] | undefined => (tags.has(tag) ? splitColons((tags.get(tag) ?? '').toLowerCase()) : undefined)
  const services = listOf('s')
  return {
    kind,
    key,
    bits: kind === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 256,
    hashes: listOf('h'),
    services: services?.includes('*') === true ? undefined : services,
    testing: flags.includes('y'),
    strict: flags.includes('s'),
  }
}

/** LIMIT: real ones are 65,537 and less; one as long as the modulus makes verifying take a hundred times as long. */
const MAX_EXPONENT = 0xffff_ffffn

/** An RSA key as SubjectPublicKeyInfo; LENIENT: as a bare RSAPublicKey too, as some publish it. */
function rsaKey(der: Uint8Array): KeyObject | undefined {
  for (const type of ['spki', 'pkcs1'] as const) {
    try {
      const key = createPublicKey({ key: Buffer.from(der), format: 'der', type })
      const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
      return key.asymmetricKeyType === 'rsa' && publicExponent <= MAX_EXPONENT ? key : undefined
    } catch {
      // The other form is tried; a key in neither is none.
    }
  }
  return undefined
}

/** RFC 8463 §4: the 32 octets of the key themselves. */
function ed25519Key(octets: Uint8Array): KeyObject | undefined {
  if (octets.length !== 32) return undefined
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(octets).toString('base64url') }, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Making a key costs more than using it. */
const keyRecords = new ParsedRecords(parseKeyRecord, 500)

export type KeyLookUp =
  | { readonly kind: 'key'; readonly key: DkimKey; readonly authentic: boolean }
  | { readonly kind: 'none'; readonly result: 'temperror' | 'permerror'; readonly reason: string }

/** Looks a key up. Of several records the first that is a key counts. RFC 6376 §6.1.2 */
export async function findKey(selector: string, domain: string, { resolver, signal }: { readonly resolver: Resolver; readonly signal?: AbortSignal | undefined }): Promise<KeyLookUp> {
  try {
    const { records, authentic } = await resolver.query(`${selector}._domainkey.${domain}`, 'TXT', { signal })
    const keys = records.map((text) => keyRecords.of(text))
    const key = keys.find((each) => typeof each !== 'string')
    if (key !== undefined) return { kind: 'key', key, authentic }
    return { kind: 'none', result: 'permerror', reason: (keys[0] as string | undefined) ?? 'there is no key' }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    if (error.code === 'BAD_NAME') return { kind: 'none', result: 'permerror', reason: 'there is no key' }
    return { kind: 'none', result: 'temperror', reason: 'key can not be looked up' }
  }
}
