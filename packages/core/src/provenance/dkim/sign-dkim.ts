/** Signs messages. RFC 6376 §5. Several signatures are made in one pass over the body. */
import { createHash, sign, type KeyObject } from 'node:crypto'
import type { SignedMessage } from '../signed-message.ts'
import { hashBody } from './body-hashes.ts'
import type { Canonicalization } from './canonicalization.ts'
import { HeaderIndex, unsignedField } from './signed-fields.ts'

export interface DkimSigner {
  /** d=, A-labels. */
  readonly domain: string
  readonly selector: string
  /** Private key: RSA of 1,024 bits or more, or Ed25519. */
  readonly key: KeyObject
  /** Default `relaxed`. */
  readonly headerCanonicalization?: Canonicalization
  readonly bodyCanonicalization?: Canonicalization
  /** Names of fields to sign; From must be among them. Default `SIGNED_FIELDS`. */
  readonly fields?: readonly string[]
  /** Name each field once more than it occurs, so that none can be added. Default true. */
  readonly seal?: boolean
  /** i=; default: absent, so `@` and the domain. */
  readonly identity?: string
  /** Seconds until x=; default: none. */
  readonly expireSeconds?: number
}

/** Fields that say what a message is. RFC 6376 §5.4.1 */
export const SIGNED_FIELDS: readonly string[] = [
  'From',
  'To',
  'Cc',
  'Bcc',
  'Reply-To',
  'References',
  'In-Reply-To',
  'Subject',
  'Date',
  'Message-Id',
  'Content-Type',
]

/**
 * DKIM-Signature fields with their line ends, one for each signer, in their order; to be put before the message.
 * @param nowSeconds since 1970, for t= @throws TypeError for a key or list of fields that can't sign
 */
export async function signDkim(message: SignedMessage, signers: readonly DkimSigner[], nowSeconds: number): Promise<Uint8Array> {
  const header = HeaderIndex.of(message)
  const hashes = await hashBody(
    message,
    signers.map(({ bodyCanonicalization = 'relaxed' }) => ({ canonicalization: bodyCanonicalization, lengthLimit: undefined })),
  )
  return Buffer.concat(signers.map((signer, at) => signOne(header, signer, hashes[at]?.digest ?? new Uint8Array(0), nowSeconds)))
}

function signOne(header: HeaderIndex, signer: DkimSigner, bodyHash: Uint8Array, nowSeconds: number): Uint8Array {
  const { domain, selector, key, headerCanonicalization = 'relaxed', bodyCanonicalization = 'relaxed', identity, expireSeconds } = signer
  const names = namesToSign(header, signer.fields ?? SIGNED_FIELDS, signer.seal ?? true)
  const algorithm = algorithmOf(key)
  const lines = [
    `DKIM-Signature: v=1; d=${domain}; s=${selector};`,
    ...(identity === undefined ? [] : [`i=${encodeIdentity(identity)};`]),
    `a=${algorithm}; c=${headerCanonicalization}/${bodyCanonicalization}; t=${nowSeconds};`,
    ...(expireSeconds === undefined ? [] : [`x=${nowSeconds + expireSeconds};`]),
    ...foldList('h=', names, ':'),
    `bh=${Buffer.from(bodyHash).toString('base64')};`,
    'b=',
  ]
  const field = Buffer.from(`${lines.join('\r\n\t')}\r\n`)
  const data = header.signedData(names.map((name) => name.toLowerCase()), unsignedField(field, headerCanonicalization), headerCanonicalization)
  return Buffer.from(`${lines.join('\r\n\t')}${foldBase64(signData(key, data))}\r\n`)
}

/** Signs the SHA-256 of data. */
export function signData(key: KeyObject, data: Uint8Array): string {
  const signature = key.asymmetricKeyType === 'rsa' ? sign('sha256', data, key) : sign(null, createHash('sha256').update(data).digest(), key)
  return signature.toString('base64')
}

/** @throws TypeError when it is of a kind nobody can verify */
export function algorithmOf(key: KeyObject): 'rsa-sha256' | 'ed25519-sha256' {
  if (key.type !== 'private') throw new TypeError('Signing takes a private key')
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519-sha256'
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 1_024) return 'rsa-sha256'
  throw new TypeError('DKIM signs with RSA of 1,024 bits or more, or with Ed25519')
}

function namesToSign(header: HeaderIndex, fields: readonly string[], seal: boolean): readonly string[] {
  if (!fields.some((name) => name.toLowerCase() === 'from')) throw new TypeError('From must be signed')
  return fields.flatMap((name) => Array.from({ length: header.fields(name.toLowerCase()).length + (seal ? 1 : 0) }, () => name))
}

/** Lines of at most 76 characters, cut after separators; the last ends in a semicolon. */
export function foldList(tag: string, items: readonly string[], separator: string): readonly string[] {
  const lines: string[] = []
  let line = tag
  for (const [at, item] of items.entries()) {
    const piece = `${item}${at === items.length - 1 ? ';' : separator}`
    if (line !== tag && line.length + piece.length > 72) {
      lines.push(line)
      line = ' '
    }
    line += piece
  }
  lines.push(line)
  return lines
}

/** Base64 on lines of 72 characters, of which the first has two for `b=`. */
function foldBase64(text: string): string {
  const lines = [text.slice(0, 70), ...(text.slice(70).match(/.{1,72}/g) ?? [])]
  return lines.join('\r\n\t ')
}

/** DKIM's quoted-printable. RFC 6376 §2.11 */
function encodeIdentity(identity: string): string {
  return Array.from(Buffer.from(identity, 'utf8'), (octet) => {
    const character = String.fromCharCode(octet)
    return octet > 0x20 && octet < 0x7f && !';='.includes(character) ? character : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`
  }).join('')
}
