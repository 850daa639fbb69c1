/**
 * Looks into the sender of a message: SPF, DKIM, ARC, reverse name side by side, then DMARC, all under the caller's
 * deadline. Not here: what recipients know of the sender, and what is decided.
 */
import { formatAddress, parseDomain, type ReversePath } from '../address/index.ts'
import type { ConnectionInfo, Random, Resolver } from '../host/index.ts'
import {
  checkReverseName,
  checkSpf,
  findForgedResults,
  formatAuthenticationResults,
  formatReceivedSpf,
  isPublicSuffix,
  organizationalDomain,
  verifyArc,
  verifyDkim,
  type ArcResult,
  type DkimResult,
  type DmarcDiscovery,
  type DmarcResult,
  type MethodResult,
  type ReverseName,
  type SignedMessage,
  type SpfResult,
} from '../provenance/index.ts'
import type { SpooledMessage } from '../store/index.ts'
import { checkAuthors } from './check-authors.ts'
import type { HeaderFacts } from './header-facts.ts'
import type { MessageEvidence } from './message-evidence.ts'

export interface GatherHost {
  readonly resolver: Resolver
  readonly random: Random
  /** Our name: in Authentication-Results, and what forged ones would bear. */
  readonly hostname: string
  /** Default `tree-walk`. */
  readonly discovery?: DmarcDiscovery
}

/** How a message came, as far as its sender goes. */
export interface Arrival {
  readonly reversePath: ReversePath
  /** As given in EHLO or HELO. */
  readonly helo: string
  readonly connection: ConnectionInfo
  /** Milliseconds since 1970. */
  readonly receivedAt: number
}

const PIECE_OCTETS = 65_536

/**
 * @param facts what was read of the message's header
 * Rejects with the signal's reason when it is aborted; everything else is a result.
 */
export async function gatherEvidence(
  message: SignedMessage,
  facts: HeaderFacts,
  arrival: Arrival,
  host: GatherHost,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<MessageEvidence> {
  const { resolver, hostname } = host
  const { reversePath, connection, helo } = arrival
  const asking = { resolver, signal }
  const ip = connection.remoteAddress
  const mailFrom = reversePath.kind === 'address' ? { localpart: reversePath.address.localpart, domain: reversePath.address.domain.ascii } : undefined
  const spfSubject = { ip: ip ?? '', helo, mailFrom, hostname }
  const [spf, dkim, arc, reverse] = await Promise.all([
    ip === undefined || reversePath.kind === 'literal' ? undefined : checkSpf(spfSubject, asking),
    verifyDkim(message, { resolver, signal, now: arrival.receivedAt, isPublicSuffix }),
    verifyArc(message, asking),
    ip === undefined ? undefined : checkReverseName(ip, asking),
  ])
  const dkimDomains = [...new Set(dkim.filter((each) => each.result === 'pass' && objectionTo(each) === undefined).map(({ domain }) => domain))]
  const spfDomain = spf?.result === 'pass' ? spf.domain : undefined
  const fromDomain = facts.from?.domain.ascii
  const dmarc = await checkAuthors(
    facts.authorDomains,
    { spfDomain, dkimDomains },
    { ...asking, random: () => (host.random(1)[0] ?? 0) / 256, ...(host.discovery === undefined ? {} : { discovery: host.discovery }) },
  )
  // The very domain needs nobody to say that it is its own: not even a policy that can not be looked up now.
  const isExact = fromDomain !== undefined && (spfDomain === fromDomain || dkimDomains.includes(fromDomain))
  const isMailFromPass = spfDomain !== undefined && spf?.identity === 'mailfrom'
  const unicodeDkim = dkimDomains.map(unicodeOf)
  return {
    trusted: false,
    header: facts,
    sender: {
      from: facts.from,
      organization: facts.from === undefined ? undefined : organizationalDomain(facts.from.domain.unicode),
      validated: isExact || (facts.from !== undefined && dmarc !== undefined && (dmarc.spf !== 'none' || dmarc.dkim !== 'none')),
      dkimDomains: unicodeDkim,
      mailFrom: isMailFromPass && reversePath.kind === 'address' ? reversePath.address : undefined,
      helo: spfDomain !== undefined && spf?.identity === 'helo' ? unicodeOf(spfDomain) : undefined,
      remoteAddress: ip,
    },
    mailFromSpf: spf?.identity === 'mailfrom' ? spf.result : 'none',
    // A policy made milder by test mode or sampling is one that this message is not to be refused by.
    dmarc: { result: dmarc?.result ?? 'none', policy: dmarc !== undefined && dmarc.policy === dmarc.published ? dmarc.policy : 'none' },
    reverseName: reverse?.result ?? 'permerror',
    reverseHost: reverse?.name,
    tls: connection.tls !== undefined,
    verifiedDomains: [...new Set([...unicodeDkim, ...(spfDomain === undefined ? [] : [unicodeOf(spfDomain)])])],
    signedByFrom: dkim.some((each) => each.result === 'pass' && !each.testing && each.domain === fromDomain && (each.services === undefined || each.services.includes('tlsrpt'))),
    authenticationResults: formatAuthenticationResults({ authservId: hostname, results: methodResults({ spf, dkim, arc, dmarc, reverse, ip, facts, mailFrom: reversePath }) }),
    receivedSpf: spf === undefined ? undefined : formatReceivedSpf(spf, spfSubject),
    forgedFields: findForgedResults(message.header, hostname),
    summary: {
      spf: spf?.result ?? 'none',
      dkim: dkim.map((each) => ({ domain: each.domain, selector: each.selector, result: told(each).result })),
      dmarc: dmarc?.result ?? 'none',
      arc: arc.result,
      reverseName: reverse?.result ?? 'none',
      tls: connection.tls !== undefined,
    },
  }
}

/** A message that came, as signatures in it are checked. @param header its header section, or the beginning of that */
export function signedMessage(message: SpooledMessage, header: Uint8Array): SignedMessage {
  const { bodyStart } = message.structure.root
  return {
    header,
    body() {
      const held = message.inMemory()
      return held !== undefined && held.length === message.sizeOctets ? [held.subarray(bodyStart)] : readBody(message, bodyStart)
    },
  }
}

async function* readBody(message: SpooledMessage, bodyStart: number): AsyncGenerator<Uint8Array> {
  for (let at = bodyStart; at < message.sizeOctets; at += PIECE_OCTETS) yield await message.read(at, Math.min(message.sizeOctets, at + PIECE_OCTETS))
}

interface Findings {
  readonly spf: SpfResult | undefined
  readonly dkim: readonly DkimResult[]
  readonly arc: ArcResult
  readonly dmarc: DmarcResult | undefined
  readonly reverse: ReverseName | undefined
  readonly ip: string | undefined
  readonly facts: HeaderFacts
  readonly mailFrom: ReversePath
}

/** What Authentication-Results says, in the order programs expect it. RFC 8601 §2.7 */
function methodResults({ spf, dkim, arc, dmarc, reverse, ip, facts, mailFrom }: Findings): readonly MethodResult[] {
  const results: MethodResult[] = []
  if (reverse !== undefined && ip !== undefined) {
    results.push({ method: 'iprev', result: reverse.result, comment: reverse.name, properties: [['policy.iprev', ip]] })
  }
  if (dkim.length === 0) results.push({ method: 'dkim', result: 'none', comment: 'no signatures', properties: [] })
  for (const signature of dkim) {
    const { domain, selector, algorithm, signatureText, identity, keyBits } = signature
    const properties: (readonly [string, string])[] = [['header.d', domain], ['header.s', selector]]
    if (algorithm !== '') properties.push(['header.a', algorithm])
    if (signatureText !== '') properties.push(['header.b', signatureText.slice(0, 12)])
    if (identity !== undefined) properties.push(['header.i', identity])
    results.push({ method: 'dkim', ...told(signature), comment: keyBits === undefined ? undefined : `${keyBits} bit key`, properties })
  }
  if (spf !== undefined) {
    const { result, identity, domain, problem } = spf
    const value = identity === 'mailfrom' && mailFrom.kind === 'address' ? formatAddress(mailFrom.address) : domain
    results.push({ method: 'spf', result, comment: problem, properties: [[identity === 'mailfrom' ? 'smtp.mailfrom' : 'smtp.helo', value]] })
  }
  const [from, ...otherAuthors] = facts.authorDomains
  results.push({
    method: 'dmarc',
    result: dmarc?.result ?? 'none',
    comment: dmarc?.published === undefined ? undefined : `p=${dmarc.published} ${dmarc.domain ?? ''}`,
    properties: from === undefined || otherAuthors.length > 0 ? [] : [['header.from', from]],
  })
  if (arc.result !== 'none') {
    results.push({ method: 'arc', result: arc.result, comment: arc.result === 'pass' ? `${arc.instances} sets, last of ${arc.domains.at(-1) ?? ''}` : undefined, reason: arc.reason, properties: ip === undefined ? [] : [['smtp.remote-ip', ip]] })
  }
  return results
}

/**
 * Why a signature says nothing about mail, however well it verifies. RFC 6376 §3.6.1: mail signed by a key in test mode
 * is not treated differently from unsigned mail, and a key for other services is none.
 */
function objectionTo({ testing, services }: DkimResult): string | undefined {
  if (testing) return 'key in test mode'
  return services === undefined || services.includes('email') ? undefined : 'key not for mail'
}

/** `policy` is for signatures that verify and are not accepted. RFC 8601 §2.7.1 */
function told(signature: DkimResult): { readonly result: DkimResult['result'] | 'policy'; readonly reason: string | undefined } {
  const objection = signature.result === 'pass' || signature.result === 'fail' ? objectionTo(signature) : undefined
  return objection === undefined ? { result: signature.result, reason: signature.reason } : { result: 'policy', reason: objection }
}

function unicodeOf(ascii: string): string {
  try {
    return parseDomain(ascii, { allowUnderscore: true }).unicode
  } catch {
    // A name that SPF or DKIM passed for and that is no mail domain stands for itself.
    return ascii
  }
}

/** Evidence where nothing is looked up: mail is taken from anybody. */
export function gatherNothing(_message: SpooledMessage, header: Uint8Array, facts: HeaderFacts, arrival: Arrival, host: Pick<GatherHost, 'hostname'>): MessageEvidence {
  const tls = arrival.connection.tls !== undefined
  return {
    trusted: true,
    header: facts,
    sender: {
      from: undefined,
      organization: undefined,
      validated: false,
      dkimDomains: [],
      mailFrom: undefined,
      helo: undefined,
      remoteAddress: arrival.connection.remoteAddress,
    },
    mailFromSpf: 'none',
    dmarc: { result: 'none', policy: 'none' },
    reverseName: 'permerror',
    reverseHost: undefined,
    tls,
    verifiedDomains: [],
    signedByFrom: false,
    authenticationResults: undefined,
    receivedSpf: undefined,
    forgedFields: findForgedResults(header, host.hostname),
    summary: { spf: 'none', dkim: [], dmarc: 'none', arc: 'none', reverseName: 'none', tls },
  }
}
