// ValiMail's ARC suite, from the corpora.
import { createPrivateKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMemoryResolver } from '@postern/core/conformance'
import { describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { sealArc, verifyArc } from '../../src/provenance/arc/index.ts'
import { parseTagList } from '../../src/provenance/dkim/tag-list.ts'
import { corpora } from './corpora.ts'
import { signedText } from './signed-text.ts'

interface ValidateSuite {
  readonly description: string
  readonly tests: Readonly<Record<string, { readonly message: string; readonly cv: string }>>
  readonly 'txt-records': Readonly<Record<string, string>>
}

interface SignSuite {
  readonly description: string
  readonly domain: string
  readonly sel: string
  readonly privatekey: string
  readonly tests: Readonly<Record<string, Readonly<Record<'message' | 'sig-headers' | 'srv-id' | 'AS' | 'AMS' | 'AAR', string>> & { readonly t: number }>>
  readonly 'txt-records': Readonly<Record<string, string>>
}

function suitesOf<T>(file: string): readonly T[] {
  const path = join(corpora, 'arc-valimail', file)
  return existsSync(path) ? parseAllDocuments(readFileSync(path, 'utf8')).map((document) => document.toJS() as T) : []
}

function resolverOf(records: Readonly<Record<string, string>>) {
  return createMemoryResolver(Object.fromEntries(Object.entries(records ?? {}).map(([name, text]) => [name, [`TXT ${text.replaceAll(/\r?\n/g, '')}`]])))
}

const validating = suitesOf<ValidateSuite>('arc-draft-validation-tests-half.yml')
const signing = suitesOf<SignSuite>('arc-draft-sign-tests-half.yml')
const absent = ' (skipped: the corpora are not here)'

describe.skipIf(validating.length === 0)(`ARC validation${validating.length === 0 ? absent : ''}`, () => {
  const cases = validating.flatMap((suite) => Object.entries(suite.tests).map(([name, test]) => [`${suite.description}: ${name}`, test, suite['txt-records']] as const))

  test('has all of its cases', () => {
    expect(cases).toHaveLength(77)
  })

  test.each(cases)('%s', async (_, { message, cv }, records) => {
    const { result, reason } = await verifyArc(signedText(message), { resolver: resolverOf(records) })
    // Empty: there is no chain, or one that can't be judged.
    expect(cv === '' || cv === null ? ['none', 'fail'] : [cv.toLowerCase()], reason).toContain(result)
  })
})

const words = (text: string): Readonly<Record<string, string>> => Object.fromEntries(Array.from(parseTagList(text) ?? [], ([tag, value]) => [tag, value.replaceAll(/\s/g, '')]))

describe.skipIf(signing.length === 0)(`ARC sealing${signing.length === 0 ? absent : ''}`, () => {
  const cases = signing.flatMap((suite) => Object.entries(suite.tests).map(([name, test]) => [`${suite.description}: ${name}`, test, suite] as const))

  test('has all of its cases', () => {
    expect(cases).toHaveLength(11)
  })

  test.each(cases)('%s', async (_, wanted, suite) => {
    const resolver = resolverOf(suite['txt-records'])
    const message = signedText(wanted.message)
    const { result } = await verifyArc(message, { resolver })
    const results = authenticationResults(wanted.message, wanted['srv-id'])
    const sealer = { domain: suite.domain, selector: suite.sel, key: createPrivateKey(suite.privatekey.replaceAll(/\n\n/g, '\n')), fields: wanted['sig-headers'].split(':').map((name) => name.trim()) }
    const sealed = await sealArc(message, sealer, results, result, wanted.t)
    if (wanted.AS === '' || wanted.AS === undefined || wanted.AS === null) return expect(sealed).toBeUndefined()
    const [seal = '', signature = '', listed = ''] = Buffer.from(sealed ?? []).toString().split(/\r\n(?=ARC-)/).map((field) => field.slice(field.indexOf(':') + 1))
    expect(words(signature)).toEqual(words(wanted.AMS))
    expect(words(seal)).toEqual(words(wanted.AS))
    expect(listed.replaceAll(/\s+/g, ' ').trim()).toBe(wanted.AAR.replaceAll(/\s+/g, ' ').trim())
    const passed = await verifyArc(signedText(Buffer.concat([sealed ?? new Uint8Array(0), Buffer.from(wanted.message.replaceAll(/\r?\n/g, '\r\n'))])), { resolver })
    expect(passed.result).toBe(result === 'fail' ? 'fail' : 'pass')
  })
})

const mailauthRs = join(corpora, 'mailauth-rs', 'resources', 'arc')
const chains = existsSync(mailauthRs) ? readdirSync(mailauthRs) : []

describe.skipIf(chains.length === 0)(`mailauth-rs's chains${chains.length === 0 ? absent : ''}`, () => {
  test.each(chains)('%s', async (file) => {
    const text = readFileSync(join(mailauthRs, file), 'latin1').replaceAll(/\r?\n/g, '\r\n')
    const split = text.indexOf('\r\n\r\n')
    const zone = Object.fromEntries(text.slice(0, split).split('\r\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
    const message = text.slice(split + 4)
    const { result, reason, instances } = await verifyArc(signedText(Buffer.from(message, 'latin1')), { resolver: resolverOf(zone) })
    expect(result, reason).toBe('pass')
    expect(instances).toBeGreaterThan(0)
    // Any word of the newest set, when it is another, breaks the chain.
    const broken = message.replace(/(ARC-Message-Signature:[^;]*;)/i, '$1 x=y;')
    expect((await verifyArc(signedText(Buffer.from(broken, 'latin1')), { resolver: resolverOf(zone) })).result).toBe('fail')
  })
})

/** Value of the message's own field for a server, unfolded. */
function authenticationResults(message: string, server: string): string {
  const fields = message.split(/\r?\n\r?\n/)[0]?.split(/\r?\n(?![ \t])/) ?? []
  const values = fields.filter((field) => /^authentication-results:/i.test(field)).map((field) => field.slice(field.indexOf(':') + 1).replaceAll(/\r?\n[ \t]+/g, ' ').trim())
  const own = values.filter((value) => value.startsWith(server))
  return own.map((value, at) => (at === 0 ? value : value.slice(server.length).replace(/^;\s*/, ''))).join('; ')
}
