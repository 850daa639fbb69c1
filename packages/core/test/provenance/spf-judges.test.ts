// SPF against two other implementations, python3-spf and mailauth (strict), on policies made up from a seed.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkSpf, type SpfResult } from '../../src/provenance/spf/index.ts'
import { generateCases, resolverOf, type SpfCase } from './spf-cases.ts'

const COUNT = 600
const cases = generateCases(COUNT, 7_208)

interface Judgement {
  readonly ours: SpfResult
  readonly theirs: string
  /** What the judge says about it. */
  readonly about: string
  /** All policies of the zone. */
  readonly policies: string
}

type Deviation = readonly [what: string, sentence: string, holds: (judgement: Judgement) => boolean]

const usesNames = (policies: string): boolean => /\bptr\b|%\{p/i.test(policies)

/** Where python3-spf departs from the RFC, or we read it differently. */
const PYTHON: readonly Deviation[] = [
  [
    'refuses a policy that includes its own domain before any of it is evaluated',
    '§4.6.2: "Each mechanism is considered in turn from left to right. … If it matches, processing ends"',
    ({ theirs, about }) => theirs === 'permerror' && about.includes('include has trivial recursion'),
  ],
  [
    'looks up names for %{p} and exp= while it reads a policy, and counts all names of the client that lead nowhere',
    '§4.6: syntax is validated first, look-ups happen "at the time of evaluation"; §4.6.4: "contents of PTR records are under control of the owner of the IP address"',
    ({ theirs, about, policies }) => theirs === 'permerror' && about.includes('Void lookup limit') && (usesNames(policies) || policies.includes('exp=')),
  ],
  [
    'gives up when names of the client can not be looked up',
    '§5.5: "If a DNS error occurs while doing the PTR RR lookup, then this mechanism fails to match."',
    ({ theirs, about, policies }) => theirs === 'temperror' && about.includes('DNS timeout') && usesNames(policies),
  ],
  [
    'takes exists without a domain',
    '§5.7: exists = "exists" ":" domain-spec',
    ({ ours }) => ours.result === 'permerror' && /unreadable term .?exists$/.test(ours.problem ?? ''),
  ],
]

const MAILAUTH: readonly Deviation[] = [
  [
    'does not count addresses of MX hosts that lead nowhere',
    '§4.6.4: "SPF implementations SHOULD limit "void lookups" to two", whichever of the look-ups of a term it is',
    ({ ours, policies }) => ours.result === 'permerror' && (ours.problem ?? '').includes('look-ups that found nothing') && /\bmx\b/i.test(policies),
  ],
  [
    'takes a match among the first of too many MX records',
    '§4.6.4: "If this limit is exceeded, the "mx" mechanism MUST produce a "permerror" result."',
    ({ ours }) => ours.result === 'permerror' && (ours.problem ?? '').includes('MX records'),
  ],
  [
    'counts each %{p} as a look-up of its own',
    '§4.6.4: "the number of "PTR" resource records queried is included in the overall limit of 10"; we query them once',
    ({ theirs, about, policies }) => theirs === 'permerror' && about.includes('Too many DNS requests') && /%\{p/i.test(policies),
  ],
]

async function check({ ip, helo, sender, records }: SpfCase): Promise<SpfResult> {
  const at = sender.lastIndexOf('@')
  const mailFrom = sender === '' ? undefined : { localpart: sender.slice(0, at), domain: sender.slice(at + 1) }
  return checkSpf({ ip, helo, mailFrom, hostname: 'receiver.example' }, { resolver: resolverOf(records) })
}

function ask(program: string, file: string): readonly (readonly [result: string, about: string])[] {
  const input = cases.map((each) => JSON.stringify({ ...each, kind: 'spf' })).join('\n')
  const { stdout, stderr } = spawnSync(program, [join(import.meta.dirname, file)], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  const answers = stdout.trim().split('\n').map((line) => JSON.parse(line) as [string, string | undefined])
  expect(answers.length, stderr).toBe(COUNT)
  return answers.map(([result, about]) => [result, about ?? ''])
}

/** Differences that no row of the table explains, and how often each row was needed. */
function compare(ours: readonly SpfResult[], theirs: readonly (readonly [string, string])[], deviations: readonly Deviation[]): { readonly unexplained: readonly string[]; readonly counts: ReadonlyMap<string, number> } {
  const counts = new Map<string, number>()
  const unexplained: string[] = []
  for (const [at, result] of ours.entries()) {
    const [other, about] = theirs[at] as readonly [string, string]
    if (other === result.result) continue
    const { records, ...asked } = cases[at] as SpfCase
    const policies = Object.entries(records).flatMap(([question, found]) => (question.startsWith('TXT') ? [found === 'TIMEOUT' ? '' : (found as readonly (readonly string[])[]).flat().join(' ')] : [])).join('\n')
    const known = deviations.find(([, , holds]) => holds({ ours: result, theirs: other, about, policies }))
    if (known === undefined) unexplained.push(`case ${at}: we say ${result.result} (${result.problem ?? result.mechanism ?? ''}), they ${other} (${about}): ${JSON.stringify(asked)}`)
    else counts.set(known[0], (counts.get(known[0]) ?? 0) + 1)
  }
  return { unexplained, counts }
}

const python = existsSync('/usr/bin/python3') && spawnSync('/usr/bin/python3', ['-c', 'import spf']).status === 0

describe(`on ${COUNT} policies made up`, () => {
  test('every result there is comes up', async () => {
    const results = (await Promise.all(cases.map(check))).map(({ result }) => result)
    for (const result of ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror'] as const) {
      expect(results.filter((each) => each === result).length, result).toBeGreaterThanOrEqual(15)
    }
  })

  test('mailauth agrees, or the RFC decides', async () => {
    const ours = await Promise.all(cases.map(check))
    const { unexplained, counts } = compare(ours, ask(process.execPath, 'mailauth-judge.cjs'), MAILAUTH)
    expect(unexplained).toEqual([])
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(COUNT / 50)
  })

  test.skipIf(!python)(`python3-spf agrees, or the RFC decides${python ? '' : ' (skipped: python3-spf is not installed)'}`, async () => {
    const ours = await Promise.all(cases.map(check))
    const { unexplained, counts } = compare(ours, ask('/usr/bin/python3', 'spf-judge.py'), PYTHON)
    expect(unexplained).toEqual([])
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(COUNT / 20)
  })

  test.skipIf(!python)(`at least one of them agrees${python ? '' : ' (skipped: python3-spf is not installed)'}`, async () => {
    const ours = await Promise.all(cases.map(check))
    const [one, other] = [ask('/usr/bin/python3', 'spf-judge.py'), ask(process.execPath, 'mailauth-judge.cjs')]
    const alone = ours.flatMap(({ result }, at) => (result === one[at]?.[0] || result === other[at]?.[0] ? [] : [`case ${at}: we say ${result}, they ${one[at]?.join(' ')} and ${other[at]?.join(' ')}`]))
    expect(alone).toEqual([])
  })
})
