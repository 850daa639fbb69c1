/** Validates an ARC chain. RFC 8617 §5.2. Not here: whether those who sealed it are worth believing. */
import type { SignedMessage } from '../signed-message.ts'
import { hashBody } from '../dkim/body-hashes.ts'
import { canonicalizeField } from '../dkim/canonicalization.ts'
import { findKey } from '../dkim/key-record.ts'
import { parseSignature, type Signature } from '../dkim/signature.ts'
import { HeaderIndex, unsignedField } from '../dkim/signed-fields.ts'
import { bodyHashing, isBodyIntact, isHeaderIntact, isSignedBy, keyProblem, sizeProblem, type DkimOptions } from '../dkim/verify-dkim.ts'
import { parseSeal, readArcSets, type ArcSet, type ChainStatus, type Seal } from './arc-sets.ts'

export interface ArcResult {
  readonly result: ChainStatus
  /** Sets in the chain. */
  readonly instances: number
  /** Domains that sealed it, the first first. */
  readonly domains: readonly string[]
  /** Why it fails. */
  readonly reason: string | undefined
}

/** LIMIT: seals verified at a time: each asks for a key. */
const SIDE_BY_SIDE = 10

/** Rejects only with the signal's reason or what reading the body throws. */
export async function verifyArc(message: SignedMessage, options: Pick<DkimOptions, 'resolver' | 'signal'>): Promise<ArcResult> {
  const header = HeaderIndex.of(message)
  const sets = readArcSets(header)
  const fail = (reason: string): ArcResult => ({ result: 'fail', instances: typeof sets === 'string' ? 0 : sets.length, domains: domainsOf(sets), reason })
  if (typeof sets === 'string') return fail(sets)
  const newest = sets.at(-1)
  if (newest === undefined) return { result: 'none', instances: 0, domains: [], reason: undefined }
  const seals: Seal[] = []
  for (const { instance, sealValue } of sets) {
    const seal = parseSeal(sealValue)
    if (typeof seal === 'string') return fail(seal)
    if (seal.status !== (instance === 1 ? 'none' : 'pass')) return fail(`seal ${instance} says cv=${seal.status}`)
    seals.push(seal)
  }
  const signature = parseSignature(newest.messageValue, 'arc')
  if ('result' in signature) return fail(signature.reason)
  const problem = await messageProblem(message, header, newest, signature, options)
  if (problem !== undefined) return fail(problem)
  const canonical = sets.map(canonicalSet)
  for (let from = 0; from < sets.length; from += SIDE_BY_SIDE) {
    const checked = await Promise.all(seals.slice(from, from + SIDE_BY_SIDE).map((seal, at) => sealProblem(canonical.slice(0, from + at), sets[from + at] as ArcSet, seal, options)))
    const at = checked.findIndex((problem) => problem !== undefined)
    if (at >= 0) return fail(`seal ${from + at + 1}: ${checked[at] ?? ''}`)
  }
  return { result: 'pass', instances: sets.length, domains: seals.map(({ domain }) => domain), reason: undefined }
}

function domainsOf(sets: readonly ArcSet[] | string): readonly string[] {
  if (typeof sets === 'string') return []
  return sets.flatMap(({ sealValue }) => {
    const seal = parseSeal(sealValue)
    return typeof seal === 'string' ? [] : [seal.domain]
  })
}

async function messageProblem(
  message: SignedMessage,
  header: HeaderIndex,
  set: ArcSet,
  signature: Signature,
  options: Pick<DkimOptions, 'resolver' | 'signal'>,
): Promise<string | undefined> {
  if (signature.headerNames.includes('arc-seal')) return 'message signature signs a seal'
  const [[hash], found] = await Promise.all([hashBody(message, [bodyHashing(signature)]), findKey(signature.selector, signature.domain, options)])
  if (found.kind === 'none') return found.reason
  const unfit = keyProblem(signature, found.key)
  if (unfit !== undefined) return unfit.reason
  if (hash === undefined || !isBodyIntact(signature, hash)) return 'body was changed since the last seal'
  return isHeaderIntact(header, set.message, signature, found.key) ? undefined : 'header was changed since the last seal'
}

async function sealProblem(before: readonly (readonly Uint8Array[])[], own: ArcSet, seal: Seal, options: Pick<DkimOptions, 'resolver' | 'signal'>): Promise<string | undefined> {
  const found = await findKey(seal.selector, seal.domain, options)
  if (found.kind === 'none') return found.reason
  if (`${found.key.kind}-sha256` !== seal.algorithm) return 'key is of another kind'
  return sizeProblem(found.key)?.reason ?? (isSignedBy(found.key, sealedData(before, own), seal.signature) ? undefined : 'it is broken')
}

/** A set as seals after its own cover it. */
export function canonicalSet({ results, message, seal }: Pick<ArcSet, 'results' | 'message' | 'seal'>): readonly Uint8Array[] {
  return [results, message, seal].map((field) => canonicalizeField(field, 'relaxed'))
}

/** Everything a seal covers: the sets before its own, then its own with an empty b=. RFC 8617 §5.1.1 */
export function sealedData(before: readonly (readonly Uint8Array[])[], own: Pick<ArcSet, 'results' | 'message' | 'seal'>): Uint8Array {
  return Buffer.concat([...before.flat(), ...canonicalSet(own).slice(0, 2), unsignedField(own.seal, 'relaxed')])
}
