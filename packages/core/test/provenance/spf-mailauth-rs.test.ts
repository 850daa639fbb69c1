// mailauth-rs's own cases for SPF, from the corpora: lines of records, then senders and what they come to.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryResolver, type MemoryResolver } from '@postern/core/conformance'
import { parseIpAddress, type IpAddress } from '@postern/core/address'
import { describe, expect, test } from 'vitest'
import { reverseDomain } from '../../src/provenance/reverse-name.ts'
import { checkSpf } from '../../src/provenance/spf/index.ts'
import { corpora } from './corpora.ts'

const folder = join(corpora, 'mailauth-rs', 'resources', 'spf')
const files = existsSync(folder) ? readdirSync(folder) : []

interface Suite {
  readonly name: string
  readonly records: readonly (readonly [kind: string, name: string, rest: string])[]
  /** Those of the test itself come on top. */
  readonly tests: readonly { readonly asked: Readonly<Record<string, string>>; readonly own: readonly (readonly [kind: string, name: string, rest: string])[] }[]
}

/** A block between `---`: no YAML, as kinds of records come up several times. */
function readSuites(text: string): readonly Suite[] {
  return text.split(/^---$/m).map((block) => {
    const lines = block.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
    const [, name = ''] = /^name: (.*)$/m.exec(block) ?? []
    const records = lines.slice(0, lines.indexOf('tests:')).flatMap((line) => {
      const [, kind, owner, rest] = /^ {2}(\w+): (\S+) ?(.*)$/.exec(line) ?? []
      return kind === undefined ? [] : [[kind, owner ?? '', rest ?? ''] as const]
    })
    // What a test does not say is as in the one before it; `expect` ends it.
    const tests: Suite['tests'][number][] = []
    let asked: Record<string, string> = {}
    let own: Suite['records'] = []
    for (const line of lines.slice(lines.indexOf('tests:'))) {
      const [, dash, key = '', value = ''] = /^ {2}(- | {2})(\w+): ?(.*)$/.exec(line) ?? []
      if (dash === '- ') own = []
      if (['spf', 'a', 'ptr'].includes(key)) own = [...own, [key, value.split(' ')[0] ?? '', value.slice(value.indexOf(' ') + 1)]]
      else asked = { ...asked, [key]: value.trim() }
      if (key === 'expect') tests.push({ asked, own })
    }
    return { name, records, tests }
  })
}

/** MX records name addresses here; a host is made up for each. `_dns_error` in a name stands for a server that fails. */
function resolverOf(records: Suite['records']): MemoryResolver {
  const zone = new Map<string, string[]>()
  const add = (name: string, record: string): void => void zone.set(name, [...(zone.get(name) ?? []), record])
  for (const [kind, name, rest] of records) {
    const items = rest.split(',').map((item) => item.trim())
    if (kind === 'spf' || kind === 'exp') add(name, `TXT ${rest}`)
    else if (kind === 'ptr') for (const item of items) add(reverseDomain(parseIpAddress(name) as IpAddress), `PTR ${item}`)
    else if (kind === 'mx') {
      for (const [at, item] of items.entries()) {
        add(name, `MX ${at} mx${at}.of.${name}`)
        add(`mx${at}.of.${name}`, `${item.includes(':') ? 'AAAA' : 'A'} ${item}`)
      }
    } else for (const item of items) add(name, `${item.includes(':') ? 'AAAA' : 'A'} ${item}`)
  }
  const resolver = createMemoryResolver(Object.fromEntries(zone))
  return {
    ...resolver,
    query(name, kind, options) {
      if (name.includes('_dns_error')) resolver.failNext(name, 'SERVFAIL')
      return resolver.query(name, kind, options)
    },
  }
}

/** Where these cases say otherwise than the RFC. */
const DEVIATIONS: ReadonlyMap<string, readonly [result: string, sentence: string]> = new Map([
  ['all.yml: All test 1', ['permerror', 'ip: is no term. RFC 7208 §4.6: "if there are any syntax errors anywhere in the record, check_host() returns immediately with the result permerror"']],
  ['basic.yml: DNS Lookup Limits 1', ['permerror', 'Ten names without an address. §4.6.4: "SPF implementations SHOULD limit void lookups to two"']],
  ['basic.yml: DNS Lookup Limits 6', ['permerror', 'Eleven MX records. §4.6.4: "If this limit is exceeded, the mx mechanism MUST produce a permerror result"']],
  ['basic.yml: HELO identity 1', ['pass', 'They ask for the HELO identity too, which here is a check of its own. §2.4']],
  ['exists.yml: Exists 2', ['fail', '§5.7: "a DNS A RR lookup (even when the connection type is IPv6)"']],
  ['macro.yml: Macro expansion 2 2', ['fail', '§5.7, as before: the name has an AAAA record only']],
  ['ip.yml: IPv6 match 4', ['fail', 'An IPv4 client and ip6:::ffff:10.1.2.3. The openspf suite: "IP4 connections do not match ip6"']],
])

describe.skipIf(files.length === 0)(`mailauth-rs's SPF cases${files.length === 0 ? ' (skipped: the corpora are not here)' : ''}`, () => {
  const cases = files.flatMap((file) => readSuites(readFileSync(join(folder, file), 'utf8')).flatMap((suite) => suite.tests.map(({ asked, own }, at) => [`${file}: ${suite.name} ${at + 1}`, [...suite.records, ...own], asked] as const)))

  test('are all there', () => {
    expect(cases.length).toBe(163)
  })

  test.each(cases)('%s', async (name, records, { sender = '', ip = '', expect: said = '', domain = '' }) => {
    const at = sender.lastIndexOf('@')
    const mailFrom = sender === '' ? undefined : { localpart: at < 0 ? '' : sender.slice(0, at), domain: sender.slice(at + 1) }
    const found = await checkSpf({ ip, helo: domain, mailFrom, hostname: 'receiver.example' }, { resolver: resolverOf(records), explain: true })
    const wanted = DEVIATIONS.get(name)?.[0] ?? said
    const [result, ...explanation] = wanted.split(' ')
    expect(found.result, `${found.problem ?? found.mechanism ?? ''}`).toBe(result)
    if (explanation.length > 0) expect(found.explanation).toBe(explanation.join(' '))
  })
})
