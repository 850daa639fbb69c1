/** SPF records: text in, terms out. Every syntax error of a record is found before any of it is evaluated. RFC 7208 §4.6, §12 */
import { networkOf, parseIpAddress, type IpNetwork } from '../../address/index.ts'
import { parseDomainSpec, parseMacroString, type MacroString } from './macro-string.ts'

export type Qualifier = '+' | '-' | '~' | '?'

export type Mechanism =
  | { readonly kind: 'all' }
  | { readonly kind: 'include' | 'exists'; readonly domain: MacroString }
  | { readonly kind: 'a' | 'mx'; readonly domain: MacroString | undefined; readonly prefix4: number; readonly prefix6: number }
  | { readonly kind: 'ptr'; readonly domain: MacroString | undefined }
  | { readonly kind: 'ip'; readonly network: IpNetwork }

export interface Directive {
  readonly qualifier: Qualifier
  readonly mechanism: Mechanism
  /** As written. */
  readonly text: string
}

export interface SpfRecord {
  readonly directives: readonly Directive[]
  readonly redirect: MacroString | undefined
  readonly explanation: MacroString | undefined
}

/** LIMIT: octets of a record. RFC 7208 §3.4 advises 450; a TXT record has 65,535 at most. */
const MAX_RECORD = 16_384

/** Whether the text of a TXT record is an SPF record of version 1. RFC 7208 §4.5 */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text)
}

/** @param text for which `isSpfRecord` holds @returns what is wrong with it, as text, when it can't be read */
export function parseSpfRecord(text: string): SpfRecord | string {
  if (text.length > MAX_RECORD) return 'record too long'
  const directives: Directive[] = []
  let redirect: MacroString | undefined
  let explanation: MacroString | undefined
  for (const term of text.slice('v=spf1'.length).split(' ')) {
    if (term === '') continue
    const modifier = /^([A-Za-z][A-Za-z0-9._-]*)=(.*)$/s.exec(term)
    if (modifier === null) {
      const directive = parseDirective(term)
      if (directive === undefined) return `unreadable term ${printable(term)}`
      directives.push(directive)
      continue
    }
    const [, name = '', value = ''] = modifier
    switch (name.toLowerCase()) {
      case 'redirect': {
        const domain = parseDomainSpec(value)
        if (domain === undefined || redirect !== undefined) return `unreadable or repeated ${printable(term)}`
        redirect = domain
        break
      }
      case 'exp': {
        const domain = parseDomainSpec(value)
        if (domain === undefined || explanation !== undefined) return `unreadable or repeated ${printable(term)}`
        explanation = domain
        break
      }
      default:
        if (parseMacroString(value, 'domain-spec') === undefined) return `unreadable modifier ${printable(term)}`
    }
  }
  return { directives, redirect, explanation }
}

function parseDirective(text: string): Directive | undefined {
  const [, sign = '', name = '', rest = ''] = /^([+\-~?]?)([A-Za-z][A-Za-z0-9]*)(.*)$/s.exec(text) ?? []
  const mechanism = parseMechanism(name.toLowerCase(), rest)
  return mechanism === undefined ? undefined : { qualifier: sign === '' ? '+' : (sign as Qualifier), mechanism, text }
}

/** @param rest what follows the name, with its colon */
function parseMechanism(name: string, rest: string): Mechanism | undefined {
  switch (name) {
    case 'all':
      return rest === '' ? { kind: 'all' } : undefined
    case 'include':
    case 'exists': {
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined
      return domain === undefined ? undefined : { kind: name, domain }
    }
    case 'a':
    case 'mx': {
      const [, domainText = '', cidr4, cidr6] = /^(.*?)(\/[0-9]*)?(\/\/[0-9]*)?$/s.exec(rest) ?? []
      const prefix4 = parsePrefix(cidr4?.slice(1), 32)
      const prefix6 = parsePrefix(cidr6?.slice(2), 128)
      if (prefix4 === undefined || prefix6 === undefined) return undefined
      if (domainText === '') return { kind: name, domain: undefined, prefix4, prefix6 }
      const domain = domainText.startsWith(':') ? parseDomainSpec(domainText.slice(1)) : undefined
      return domain === undefined ? undefined : { kind: name, domain, prefix4, prefix6 }
    }
    case 'ptr': {
      if (rest === '') return { kind: 'ptr', domain: undefined }
      const domain = rest.startsWith(':') ? parseDomainSpec(rest.slice(1)) : undefined
      return domain === undefined ? undefined : { kind: 'ptr', domain }
    }
    case 'ip4':
    case 'ip6':
      return rest.startsWith(':') ? parseIpMechanism(rest.slice(1), name === 'ip4' ? 4 : 6) : undefined
    default:
      return undefined
  }
}

function parseIpMechanism(text: string, version: 4 | 6): Mechanism | undefined {
  const slash = text.indexOf('/')
  const addressText = slash < 0 ? text : text.slice(0, slash)
  if (addressText.includes(':') !== (version === 6)) return undefined
  const prefixLength = parsePrefix(slash < 0 ? undefined : text.slice(slash + 1), version === 4 ? 32 : 128)
  const address = parseIpAddress(addressText)
  if (address === undefined || prefixLength === undefined) return undefined
  // IPv4 clients, mapped ones too, match no ip6 term: a network of mapped addresses holds none of them. RFC 7208 §5, §5.6
  if (address.version !== version) return { kind: 'ip', network: { address: { version: 6, text: addressText }, prefixLength } }
  return { kind: 'ip', network: networkOf(address, prefixLength) }
}

/** @returns the longest when there is none, undefined when it can't be read */
function parsePrefix(digits: string | undefined, longest: number): number | undefined {
  if (digits === undefined) return longest
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits)) return undefined
  const length = Number(digits)
  return length <= longest ? length : undefined
}

function printable(text: string): string {
  return text.slice(0, 100).replaceAll(/[^!-~]/g, '?')
}
