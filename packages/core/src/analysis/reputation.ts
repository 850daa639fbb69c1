/**
 * Reputation: what the judgements an account's owner made of earlier messages say of a new one's sender. Pure: steps,
 * windows and thresholds over judgements that were read before. The first step that finds anything decides, even when
 * what it finds is not conclusive.
 */
import type { Judgement } from '../store/index.ts'

/** Which step decided: the keyword that logs and the reason header show. */
export type ReputationMethod =
  /** Address of From. */
  | 'msgfromfull'
  /** The account wrote to the address. */
  | 'msgtofull'
  | 'msgfromdomain'
  | 'msgtodomain'
  | 'msgfromorgdomain'
  | 'msgtoorgdomain'
  /** Domains of DKIM signatures, and the identity SPF passed for. */
  | 'dkimspf'
  | 'ip1'
  | 'ip2'
  | 'ip3'
  | 'none'

export interface Reputation {
  /** Undefined: not known. */
  readonly junk: boolean | undefined
  /** Whether that decides by itself. */
  readonly conclusive: boolean
  readonly method: ReputationMethod
  /** Judgements it rests on. */
  readonly count: number
}

/** Judgements by identity, each newest first, and when the account last wrote to the sender (seconds since 1970). */
export interface SenderHistory {
  readonly fromAddress: readonly Judgement[]
  readonly fromDomain: readonly Judgement[]
  /** Of all domains of the organization. */
  readonly fromOrganization: readonly Judgement[]
  /** One list for each passing DKIM domain. */
  readonly dkimDomains: readonly (readonly Judgement[])[]
  readonly mailFromAddress: readonly Judgement[]
  readonly mailFromDomain: readonly Judgement[]
  readonly heloDomain: readonly Judgement[]
  /** Narrow, middle, wide. */
  readonly networks: readonly [readonly Judgement[], readonly Judgement[], readonly Judgement[]]
  readonly wroteToAddress: number | undefined
  readonly wroteToDomain: number | undefined
  readonly wroteToOrganization: number | undefined
}

/** How far back steps look, in seconds, and how much they look at. */
export interface ReputationWindows {
  readonly addressSeconds: number
  readonly addressCount: number
  readonly domainSeconds: number
  readonly domainCount: number
  readonly signatureSeconds: number
  readonly signatureCount: number
  readonly networkSeconds: number
  readonly networkCount: number
}

const YEAR_SECONDS = 365 * 86_400

export const defaultReputationWindows: ReputationWindows = {
  addressSeconds: 3 * YEAR_SECONDS,
  addressCount: 2,
  domainSeconds: 2 * YEAR_SECONDS,
  domainCount: 20,
  signatureSeconds: YEAR_SECONDS / 2,
  signatureCount: 50,
  networkSeconds: YEAR_SECONDS / 4,
  networkCount: 50,
}

/** A domain is good when more than this share of its judged messages are not junk, in whole percent. */
const GOOD_DOMAIN_PERCENT = 80
/** So many localparts must have sent junk before a domain as a whole is taken for a sender of junk. */
const JUNK_DOMAIN_LOCALPARTS = 3
const FORGERY_COUNT = 2
/** Judgements from which a class of networks decides, narrow first. */
const NETWORK_NEEDS = [2, 5, 10] as const
const NETWORK_METHODS = ['ip1', 'ip2', 'ip3'] as const

/**
 * @param history as read for this sender; lists may reach back further and be longer than the windows
 * @param validated whether the domain of From was authenticated: forged and real mail have histories of their own
 * @param nowSeconds since 1970
 */
export function reputationOf(
  history: SenderHistory,
  validated: boolean,
  nowSeconds: number,
  windows: ReputationWindows = defaultReputationWindows,
): Reputation {
  const { addressSeconds, addressCount, domainSeconds, domainCount } = windows
  const take = (list: readonly Judgement[], seconds: number, count: number, ofValidated?: boolean): readonly Judgement[] =>
    newest(list, nowSeconds - seconds, count, ofValidated)
  const wrote = (last: number | undefined, seconds: number): boolean => last !== undefined && last >= nowSeconds - seconds
  const verdict = (method: ReputationMethod, junk: boolean | undefined, conclusive: boolean, count: number): Reputation => ({
    junk,
    conclusive,
    method,
    count,
  })
  /** Mail in the name of a sender known to authenticate his. */
  const forged = (method: ReputationMethod, list: readonly Judgement[], seconds: number): Reputation | undefined => {
    if (validated) return undefined
    const real = take(list, seconds, FORGERY_COUNT, true)
    return real.length === 0 ? undefined : verdict(method, true, isJunkByNewest(real), real.length)
  }

  const same = take(history.fromAddress, addressSeconds, addressCount, validated)
  if (same.length > 0) return verdict('msgfromfull', isJunkByNewest(same), validated, same.length)
  const forgedAddress = forged('msgfromfull', history.fromAddress, addressSeconds)
  if (forgedAddress !== undefined) return forgedAddress
  if (wrote(history.wroteToAddress, addressSeconds)) return verdict('msgtofull', false, true, 0)

  for (const [from, to, list, written] of [
    ['msgfromdomain', 'msgtodomain', history.fromDomain, history.wroteToDomain],
    ['msgfromorgdomain', 'msgtoorgdomain', history.fromOrganization, history.wroteToOrganization],
  ] as const) {
    const found = take(list, domainSeconds, domainCount, validated)
    if (found.length > 0) return domainReputation(from, found)
    const forgedDomain = forged(from, list, domainSeconds)
    if (forgedDomain !== undefined) return forgedDomain
    if (wrote(written, domainSeconds)) return verdict(to, false, true, 0)
  }

  return signatureReputation(history, take, windows) ?? networkReputation(history, take, windows) ?? verdict('none', undefined, false, 0)
}

type Take = (list: readonly Judgement[], seconds: number, count: number) => readonly Judgement[]

function domainReputation(method: ReputationMethod, found: readonly Judgement[]): Reputation {
  const junk = found.filter((judgement) => judgement.junk)
  const good = found.length - junk.length
  const count = found.length
  if (Math.floor((100 * good) / count) > GOOD_DOMAIN_PERCENT) return { junk: false, conclusive: true, method, count }
  if (good > 0) return { junk: undefined, conclusive: false, method, count }
  const localparts = new Set(junk.map((judgement) => judgement.localpart))
  return { junk: true, conclusive: localparts.size >= JUNK_DOMAIN_LOCALPARTS, method, count }
}

function signatureReputation(history: SenderHistory, take: Take, windows: ReputationWindows): Reputation | undefined {
  const read = (list: readonly Judgement[]): readonly Judgement[] => take(list, windows.signatureSeconds, windows.signatureCount)
  // Of what SPF passed for, the narrowest that is known.
  const spf = [history.mailFromAddress, history.mailFromDomain, history.heloDomain].map(read).find((list) => list.length > 0)
  const signals = [...history.dkimDomains.map(read), ...(spf === undefined ? [] : [spf])].filter((list) => list.length > 0)
  if (signals.length === 0) return undefined
  const count = Math.max(...signals.map((list) => list.length))
  const good = signals.some((list) => junkShare(list) < 0.1)
  const bad = signals.some((list) => junkShare(list) > 0.9)
  if (good && !bad) return { junk: false, conclusive: true, method: 'dkimspf', count }
  if (bad && !good) return { junk: true, conclusive: count > 1, method: 'dkimspf', count }
  return { junk: undefined, conclusive: false, method: 'dkimspf', count }
}

function networkReputation(history: SenderHistory, take: Take, windows: ReputationWindows): Reputation | undefined {
  for (const [n, list] of history.networks.entries()) {
    const found = take(list, windows.networkSeconds, windows.networkCount)
    if (found.length === 0) continue
    const share = junkShare(found)
    return {
      junk: share < 0.25 ? false : share > 0.75 ? true : undefined,
      conclusive: found.length >= (NETWORK_NEEDS[n] as number) && (share <= 0.1 || share >= 0.9),
      method: NETWORK_METHODS[n] as ReputationMethod,
      count: found.length,
    }
  }
  return undefined
}

/** Junk when the newest is, and the one before it too, if there is one. @param list not empty, newest first */
function isJunkByNewest(list: readonly Judgement[]): boolean {
  return list.slice(0, 2).every((judgement) => judgement.junk)
}

function junkShare(list: readonly Judgement[]): number {
  return list.reduce((sum, judgement) => sum + (judgement.junk ? 1 : 0), 0) / list.length
}

function newest(list: readonly Judgement[], sinceSeconds: number, count: number, validated?: boolean): readonly Judgement[] {
  const found: Judgement[] = []
  for (const judgement of list) {
    if (found.length === count) break
    if (judgement.receivedSeconds < sinceSeconds) continue
    if (validated === undefined || judgement.validated === validated) found.push(judgement)
  }
  return found
}
