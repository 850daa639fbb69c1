// DMARC by tree walk against mailauth, which follows RFC 9989 too, on policies made up from a seed.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkDmarc, type DmarcResult } from '../../src/provenance/dmarc/index.ts'
import { mulberry32, resolverOf, type CaseRecords } from './spf-cases.ts'

const COUNT = 500
const NAMES = ['example.com', 'a.example.com', 'b.example.com', 'x.a.example.com', 'l.o.n.g.e.r.x.a.example.com', 'bank.example', 'giant.bank.example', 'mail.giant.bank.example', 'mega.bank.example', 'other.net', 'com']
const POLICIES = ['p=none', 'p=quarantine', 'p=reject', 'P=Reject', 'p=nothing', '']
const TAGS = ['sp=none', 'sp=quarantine', 'sp=reject', 'np=reject', 'np=quarantine', 'np=none', 'adkim=s', 'aspf=s', 'psd=n', 'psd=y', 'psd=u', 't=y', 't=n', 'rua=mailto:a@example.com', 'rua=nobody', 'sp=x', 'foo=bar', 'adkim=r', 'fo=1']

interface DmarcCase {
  readonly fromDomain: string
  readonly spfDomain: string | undefined
  readonly dkimDomains: readonly string[]
  readonly records: CaseRecords
}

function generateCases(seed: number): readonly DmarcCase[] {
  const random = mulberry32(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  return Array.from({ length: COUNT }, () => {
    const records: Record<string, readonly unknown[] | 'TIMEOUT'> = {}
    const record = (): string => [pick(['v=DMARC1', 'v = DMARC1 ', 'v=DMARC1', 'V=DMARC1', 'v=dmarc1']), pick(POLICIES), ...Array.from({ length: Math.floor(random() * 4) }, () => pick(TAGS))].filter((tag) => tag !== '').join('; ')
    for (const name of NAMES) {
      if (random() < 0.4) records[`TXT _dmarc.${name}`] = random() < 0.03 ? 'TIMEOUT' : [[record()], ...(random() < 0.05 ? [[record()]] : [])]
      if (random() < 0.4) records[`A ${name}`] = random() < 0.03 ? 'TIMEOUT' : ['192.0.2.1']
    }
    return {
      fromDomain: pick(NAMES),
      spfDomain: random() < 0.5 ? pick(NAMES) : undefined,
      dkimDomains: Array.from({ length: Math.floor(random() * 3) }, () => pick(NAMES)),
      records,
    }
  })
}

interface Theirs {
  readonly result: string
  readonly policy?: string
  readonly domain?: string
}

type Deviation = readonly [what: string, sentence: string, holds: (ours: DmarcResult, theirs: Theirs, asked: DmarcCase) => boolean]

const DEVIATIONS: readonly Deviation[] = [
  [
    'has no word for a policy that can not be read',
    'RFC 9989 §9.2: permerror is for "a syntactically incorrect DMARC Policy Record"; either way nothing is done (§4.10.1)',
    (ours, theirs) => ours.result === 'permerror' && theirs.result === 'none',
  ],
]

test('mailauth agrees', async () => {
  const cases = generateCases(9_989)
  const input = cases.map((each) => JSON.stringify({ kind: 'dmarc', ...each })).join('\n')
  const { stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'mailauth-judge.cjs')], { input, encoding: 'utf8', maxBuffer: 2 ** 26 })
  const theirs = stdout.trim().split('\n').map((line) => JSON.parse(line) as Theirs)
  expect(theirs.length, stderr).toBe(COUNT)
  const results: string[] = []
  const unexplained: string[] = []
  for (const [at, asked] of cases.entries()) {
    const ours = await checkDmarc(asked, { resolver: resolverOf(asked.records), random: () => 0 })
    results.push(ours.result)
    const other = theirs[at] as Theirs
    const isSame = ours.result === other.result && (ours.result !== 'fail' || (ours.policy === other.policy && ours.domain === other.domain))
    if (!isSame && !DEVIATIONS.some(([, , holds]) => holds(ours, other, asked))) {
      unexplained.push(`case ${at}: ${JSON.stringify(asked)}: we ${ours.result} ${ours.policy} ${ours.domain ?? ''}, they ${JSON.stringify(other)}`)
    }
  }
  expect(unexplained).toEqual([])
  for (const result of ['none', 'pass', 'fail', 'temperror', 'permerror'] as const) {
    expect(results.filter((each) => each === result).length, result).toBeGreaterThanOrEqual(8)
  }
})
