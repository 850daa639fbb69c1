// The openspf suite for RFC 7208, from the corpora.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DnsError, type DnsAnswer, type DnsData, type DnsKind, type Resolver } from '@postern/core/host'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { checkSpf } from '../../src/provenance/spf/index.ts'
import { corpora } from './corpora.ts'

interface Case {
  readonly helo: string
  readonly host: string
  readonly mailfrom: string
  readonly result: string | readonly string[]
  readonly explanation?: string
}

interface Suite {
  readonly description: string
  readonly tests: Readonly<Record<string, Case>>
  readonly zonedata: Readonly<Record<string, readonly (string | Readonly<Record<string, unknown>>)[]>>
}

const path = join(corpora, 'spf-openspf', 'rfc7208-tests-half.yml')
const suites = existsSync(path) ? parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as Suite) : []

/** Zone data of the suite: SPF entries stand for TXT where a name has none, TIMEOUT fails every question without a record. */
function resolverOf(zone: Suite['zonedata']): Resolver {
  const names = new Map(Object.entries(zone).map(([name, records]) => [name.toLowerCase(), records]))
  return {
    async query<K extends DnsKind>(given: string, kind: K): Promise<DnsAnswer<K>> {
      const name = given.toLowerCase()
      if (name.length > 253 || name.split('.').some((label) => label === '' || label.length > 63)) throw new DnsError('BAD_NAME', name)
      const records = names.get(name) ?? []
      const has = (type: string) => records.some((record) => typeof record === 'object' && type in record)
      const type = kind === 'TXT' && !has('TXT') ? 'SPF' : kind
      const found: DnsData[K][] = []
      for (const record of records) {
        if (record === 'TIMEOUT') {
          if (found.length === 0) throw new DnsError('TIMEOUT', name)
          continue
        }
        if (typeof record === 'string') continue
        const value = record[type]
        if (value === 'TIMEOUT') throw new DnsError('TIMEOUT', name)
        if (value === undefined || value === 'NONE') continue
        if (kind === 'MX') {
          const [preference, exchange] = value as [number, string]
          found.push({ preference, exchange: exchange.toLowerCase().replace(/\.$/, '') } as DnsData[K])
        } else if (kind === 'TXT') found.push(Buffer.from([value].flat().join('')).toString('latin1') as DnsData[K])
        else if (kind === 'AAAA' || kind === 'A') found.push(String(value) as DnsData[K])
        else found.push(String(value).toLowerCase().replace(/\.$/, '') as DnsData[K])
      }
      return { records: found, nameExists: records.length > 0, ttl: 60, authentic: false }
    },
  }
}

const title = suites.length === 0 ? 'openspf suite (skipped: the corpora are not here)' : 'openspf suite'

describe.skipIf(suites.length === 0)(title, () => {
  const cases = suites.flatMap(({ description, tests, zonedata }) => Object.entries(tests).map(([name, test]) => [`${description}: ${name}`, test, zonedata] as const))

  test('has all of its cases', () => {
    expect(cases).toHaveLength(97)
  })

  test.each(cases)('%s', async (_, { helo, host, mailfrom, result, explanation }, zonedata) => {
    const at = mailfrom.lastIndexOf('@')
    const mailFrom = mailfrom === '' ? undefined : { localpart: at < 0 ? '' : mailfrom.slice(0, at), domain: mailfrom.slice(at + 1) }
    const checked = await checkSpf({ ip: host, helo, mailFrom, hostname: 'receiver.example' }, { resolver: resolverOf(zonedata), explain: true })
    expect([result].flat(), checked.problem).toContain(checked.result)
    // DEFAULT is what the suite's own driver says when a domain gives no explanation.
    if (explanation !== undefined && checked.result === 'fail') expect(checked.explanation ?? 'DEFAULT').toBe(explanation)
  })
})
