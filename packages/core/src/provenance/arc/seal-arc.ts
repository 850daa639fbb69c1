/** Seals a message that is passed on: adds the next ARC set. RFC 8617 §5.1 */
import type { KeyObject } from 'node:crypto'
import type { SignedMessage } from '../signed-message.ts'
import { hashBody } from '../dkim/body-hashes.ts'
import { algorithmOf, foldList, signData } from '../dkim/sign-dkim.ts'
import { HeaderIndex, unsignedField } from '../dkim/signed-fields.ts'
import { MAX_INSTANCES, parseSeal, readArcSets, type ChainStatus } from './arc-sets.ts'
import { canonicalSet, sealedData } from './verify-arc.ts'

export interface ArcSealer {
  /** d=, A-labels. */
  readonly domain: string
  readonly selector: string
  readonly key: KeyObject
  /** Names of fields to sign, those the message has; From must be among them. */
  readonly fields: readonly string[]
}

/**
 * @param results value of Authentication-Results for the message as it came: `mail.example.org; arc=none; spf=pass …`
 * @param chain what validating the chain came to
 * @returns ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results with their line ends, to be put before the
 * message; undefined when nothing may be added: the chain has failed before, or is at its end
 */
export async function sealArc(message: SignedMessage, sealer: ArcSealer, results: string, chain: ChainStatus, nowSeconds: number): Promise<Uint8Array | undefined> {
  const { domain, selector, key } = sealer
  const header = HeaderIndex.of(message)
  const sets = readArcSets(header)
  const last = typeof sets === 'string' ? undefined : sets.at(-1)
  const seal = last === undefined ? undefined : parseSeal(last.sealValue)
  // Who comes after a failure adds nothing to it. RFC 8617 §5.1
  if (seal !== undefined && typeof seal !== 'string' && seal.status === 'fail') return undefined
  const instance = (last?.instance ?? 0) + 1
  if (typeof sets === 'string' || instance > MAX_INSTANCES) return undefined
  const names = sealer.fields.map((name) => name.toLowerCase()).filter((name) => header.fields(name).length > 0)
  if (!names.includes('from')) throw new TypeError('From must be signed')
  const [body] = await hashBody(message, [{ canonicalization: 'relaxed', lengthLimit: undefined }])
  const algorithm = algorithmOf(key)

  const resultsField = Buffer.from(`ARC-Authentication-Results: i=${instance}; ${results}\r\n`, 'latin1')
  const aboutMessage = [
    `bh=${Buffer.from(body?.digest ?? []).toString('base64')};`,
    `c=relaxed/relaxed; d=${domain};`,
    ...foldList('h=', names, ':'),
    `i=${instance}; s=${selector}; t=${nowSeconds}`,
  ]
  const messageField = signedField('ARC-Message-Signature', algorithm, aboutMessage, (unsigned) =>
    signData(key, header.signedData(names, unsignedField(unsigned, 'relaxed'), 'relaxed')),
  )
  const aboutChain = [`cv=${instance === 1 ? 'none' : chain};`, `d=${domain}; i=${instance}; s=${selector}; t=${nowSeconds}`]
  // A chain that has failed is sealed alone: the sets before can't be relied on. RFC 8617 §5.1.2
  const before = chain === 'fail' ? [] : sets.map(canonicalSet)
  const sealField = signedField('ARC-Seal', algorithm, aboutChain, (unsigned) =>
    signData(key, sealedData(before, { results: resultsField, message: messageField, seal: unsigned })),
  )
  return Buffer.concat([sealField, messageField, resultsField])
}

/**
 * A field with its signature in its b= tag, which stands second and on one line: folding would put white space into what
 * the seals after it cover. With a key of 4,096 bits the line has 690 octets, within the 998 of RFC 5322 §2.1.1.
 */
function signedField(name: string, algorithm: string, about: readonly string[], sign: (unsigned: Uint8Array) => string): Uint8Array {
  const build = (signature: string): Uint8Array => Buffer.from(`${name}: a=${algorithm};\r\n\tb=${signature};\r\n\t${about.join('\r\n\t')}\r\n`)
  return build(sign(build('')))
}
