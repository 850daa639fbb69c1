/**
 * Whether a host may send mail for a domain: check_host() of RFC 7208. Every look-up is counted; records are parsed
 * whole before they are evaluated. Not here: what is done with the result.
 */
import { isInNetwork, octetsOf, parseIpAddress, type IpAddress } from '../../address/index.ts'
import { DnsError, type Resolver } from '../../host/index.ts'
import { ClientNames } from './client-names.ts'
import { isPossibleName, Lookups, type SpfLimits } from './lookups.ts'
import { expandMacros, parseMacroString, usesLetter, type MacroLetter, type MacroString } from './macro-string.ts'
import { ParsedRecords } from '../parsed-records.ts'
import { SpfProblem } from './spf-problem.ts'
import { isSpfRecord, parseSpfRecord, type Mechanism, type SpfRecord } from './spf-record.ts'

/** RFC 7208 §2.6 */
export type SpfStatus = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'

/** Who wants to send. */
export interface SpfSubject {
  /** Address of the client, as text. */
  readonly ip: string
  /** As given in HELO or EHLO. */
  readonly helo: string
  /** The reverse-path, its domain as A-labels; undefined for the null one. */
  readonly mailFrom: { readonly localpart: string; readonly domain: string } | undefined
  /** Our own name, for explanations. */
  readonly hostname: string
}

export interface SpfOptions {
  readonly resolver: Resolver
  readonly signal?: AbortSignal | undefined
  readonly limits?: Partial<SpfLimits>
  /** Look for the explanation of a fail; default false. */
  readonly explain?: boolean
  /** Milliseconds since 1970, for explanations that tell the time. Default 0. */
  readonly now?: number
}

export interface SpfResult {
  readonly result: SpfStatus
  /** Whose policy it was: the reverse-path's, or, when that is null, the name in EHLO. RFC 7208 §2.4 */
  readonly identity: 'mailfrom' | 'helo'
  /** Domain asked about: A-labels, lower case; empty when there was none to ask. */
  readonly domain: string
  /** Term that decided, as written; undefined when none did. */
  readonly mechanism: string | undefined
  /** What the domain's owner says about a fail: printable ASCII, at most 800 characters. Not to be trusted. */
  readonly explanation: string | undefined
  /** For permerror and temperror. */
  readonly problem: string | undefined
  /** Every answer it rests on was validated. */
  readonly authentic: boolean
}

const DEFAULT_LIMITS: SpfLimits = { terms: 10, voidLookups: 2 }
/** RFC 7208 §4.6.4 */
const MAX_MX = 10
const MAX_EXPLANATION = 800
const RESULT_OF_QUALIFIER = { '+': 'pass', '-': 'fail', '~': 'softfail', '?': 'neutral' } as const

const spfRecords = new ParsedRecords(parseSpfRecord, 500)

/** Rejects only with the signal's reason; everything about the policy itself is a result. */
export async function checkSpf(subject: SpfSubject, options: SpfOptions): Promise<SpfResult> {
  const { mailFrom } = subject
  const helo = subject.helo.toLowerCase().replace(/\.$/, '')
  const identity = mailFrom === undefined ? 'helo' : 'mailfrom'
  const domain = mailFrom === undefined ? helo : mailFrom.domain.toLowerCase()
  const localpart = mailFrom === undefined || mailFrom.localpart === '' ? 'postmaster' : mailFrom.localpart
  const ip = parseIpAddress(subject.ip)
  if (ip === undefined || !isQualified(domain)) return { result: 'none', identity, domain, mechanism: undefined, explanation: undefined, problem: undefined, authentic: false }
  const evaluation = new Evaluation({ ip, helo, sender: `${localpart}@${domain}`, localpart, senderDomain: domain, hostname: subject.hostname }, options)
  try {
    const found = await evaluation.check(domain, 'domain')
    const explanation = found.result === 'fail' && options.explain === true ? await evaluation.explain(found) : undefined
    return { result: found.result, identity, domain, mechanism: found.mechanism, explanation, problem: undefined, authentic: evaluation.authentic }
  } catch (error) {
    if (!(error instanceof SpfProblem)) throw error
    return { result: error.result, identity, domain, mechanism: undefined, explanation: undefined, problem: error.message, authentic: evaluation.authentic }
  }
}

/** What one check_host() came to, and whose record it was. */
interface Found {
  readonly result: Exclude<SpfStatus, 'temperror' | 'permerror'>
  readonly mechanism: string | undefined
  readonly record: SpfRecord | undefined
  readonly domain: string
}

interface Facts {
  readonly ip: IpAddress
  readonly helo: string
  readonly sender: string
  readonly localpart: string
  readonly senderDomain: string
  readonly hostname: string
}

class Evaluation {
  readonly #facts: Facts
  readonly #options: SpfOptions
  readonly #lookups: Lookups
  readonly #clientNames: ClientNames

  constructor(facts: Facts, options: SpfOptions) {
    this.#facts = facts
    this.#options = options
    this.#lookups = new Lookups(options.resolver, options.signal, options.limits === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...options.limits })
    this.#clientNames = new ClientNames(facts.ip, this.#lookups)
  }

  get authentic(): boolean {
    return this.#lookups.authentic
  }

  /** check_host() for a domain. Its depth is bounded by the number of terms that cost a look-up. */
  async check(domain: string, how: 'domain' | 'include' | 'redirect'): Promise<Found> {
    const record = await this.#record(domain)
    if (record === undefined) {
      if (how !== 'domain') throw new SpfProblem('permerror', `${how} of ${domain}, which has no policy`)
      return { result: 'none', mechanism: undefined, record, domain }
    }
    for (const directive of record.directives) {
      if (await this.#matches(directive.mechanism, domain)) return { result: RESULT_OF_QUALIFIER[directive.qualifier], mechanism: directive.text, record, domain }
    }
    if (record.redirect === undefined) return { result: 'neutral', mechanism: undefined, record, domain }
    this.#lookups.countTerm()
    return this.check(await this.#domainOf(record.redirect, domain), 'redirect')
  }

  /** The owner's words about a fail, when they can be had. RFC 7208 §6.2 */
  async explain({ record, domain }: Found): Promise<string | undefined> {
    if (record?.explanation === undefined) return undefined
    try {
      const name = await this.#domainOf(record.explanation, domain)
      const { records } = await this.#options.resolver.query(name, 'TXT', { signal: this.#options.signal })
      const macros = records.length === 1 ? parseMacroString(records[0] as string, 'explanation') : undefined
      if (macros === undefined) return undefined
      return expandMacros(macros, await this.#values(macros, domain), 'start').replaceAll(/[^ -~]/g, '?').slice(0, MAX_EXPLANATION)
    } catch (error) {
      if (error instanceof DnsError || error instanceof SpfProblem) return undefined
      throw error
    }
  }

  async #record(domain: string): Promise<SpfRecord | undefined> {
    const answer = await this.#lookups.ask(domain, 'TXT')
    const records = answer.records.filter(isSpfRecord)
    if (records.length > 1) throw new SpfProblem('permerror', `${domain} has more than one policy`)
    if (records[0] === undefined) return undefined
    const record = spfRecords.of(records[0])
    if (typeof record === 'string') throw new SpfProblem('permerror', `${domain}: ${record}`)
    return record
  }

  async #matches(mechanism: Mechanism, domain: string): Promise<boolean> {
    switch (mechanism.kind) {
      case 'all':
        return true
      case 'ip':
        return isInNetwork(this.#facts.ip, mechanism.network)
      case 'include':
        this.#lookups.countTerm()
        return (await this.check(await this.#domainOf(mechanism.domain, domain), 'include')).result === 'pass'
      case 'exists':
        this.#lookups.countTerm()
        return (await this.#lookups.find(await this.#domainOf(mechanism.domain, domain), 'A')).length > 0
      case 'a':
        this.#lookups.countTerm()
        return this.#hasAddress(await this.#targetOf(mechanism, domain), mechanism)
      case 'mx':
        this.#lookups.countTerm()
        return this.#hasExchange(await this.#targetOf(mechanism, domain), mechanism)
      case 'ptr':
        this.#lookups.countTerm()
        return this.#clientNames.hasOneWithin(await this.#targetOf(mechanism, domain))
    }
  }

  async #hasAddress(name: string, prefixes: { readonly prefix4: number; readonly prefix6: number }): Promise<boolean> {
    const { ip } = this.#facts
    const addresses = await this.#lookups.find(name, ip.version === 4 ? 'A' : 'AAAA')
    const prefixLength = ip.version === 4 ? prefixes.prefix4 : prefixes.prefix6
    return addresses.some((text) => {
      const address = parseIpAddress(text)
      return address !== undefined && isInNetwork(ip, { address, prefixLength })
    })
  }

  async #hasExchange(name: string, prefixes: { readonly prefix4: number; readonly prefix6: number }): Promise<boolean> {
    const exchanges = await this.#lookups.find(name, 'MX')
    if (exchanges.length > MAX_MX) throw new SpfProblem('permerror', `${name} has more than ${MAX_MX} MX records`)
    // By preference: DNS gives them in any order, and the result should not hang on it.
    for (const { exchange } of [...exchanges].sort((a, b) => a.preference - b.preference)) {
      if (exchange !== '' && exchange !== '.' && (await this.#hasAddress(exchange, prefixes))) return true
    }
    return false
  }

  #targetOf({ domain: macros }: { readonly domain: MacroString | undefined }, domain: string): string | Promise<string> {
    return macros === undefined ? domain : this.#domainOf(macros, domain)
  }

  /** A name as expanded: without a dot at its end, cut from the left to what DNS can hold. RFC 7208 §7.3 */
  async #domainOf(macros: MacroString, domain: string): Promise<string> {
    let name = expandMacros(macros, await this.#values(macros, domain), 'end').replace(/\.$/, '')
    while (name.length > 253) {
      const dot = name.indexOf('.')
      if (dot < 0) break
      name = name.slice(dot + 1)
    }
    return name
  }

  async #values(macros: MacroString, domain: string): Promise<ReadonlyMap<MacroLetter, string>> {
    const { ip, helo, sender, localpart, senderDomain, hostname } = this.#facts
    const values = new Map<MacroLetter, string>([
      ['s', sender],
      ['l', localpart],
      ['o', senderDomain],
      ['d', domain],
      ['i', dotted(ip)],
      ['v', ip.version === 4 ? 'in-addr' : 'ip6'],
      ['h', helo],
      ['c', ip.text],
      ['r', hostname],
      ['t', String(Math.floor((this.#options.now ?? 0) / 1_000))],
    ])
    if (usesLetter(macros, 'p')) values.set('p', await this.#clientNames.nameFor(domain))
    return values
  }
}

/** RFC 7208 §4.3: two labels at least, none empty or too long. */
function isQualified(domain: string): boolean {
  return domain.includes('.') && !domain.startsWith('[') && isPossibleName(domain)
}

/** Value of the `i` macro: IPv6 as nibbles, in upper case as others write it in explanations; DNS does not care. RFC 7208 §7.3 */
function dotted(ip: IpAddress): string {
  if (ip.version === 4) return ip.text
  return Array.from(octetsOf(ip), (octet) => `${(octet >> 4).toString(16)}.${(octet & 15).toString(16)}`)
    .join('.')
    .toUpperCase()
}
