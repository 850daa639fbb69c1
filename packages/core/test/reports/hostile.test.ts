import { deflateRawSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ReportWork } from '../../src/reports/index.ts'
import { feedback, METADATA, outcome, POLICY, read, record, tlsJson, zip } from './report-files.ts'

const KIB = 1024
const MIB = 1024 * KIB

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const good = octets(feedback())
/** Grows by some hundreds when it is unpacked. */
const bomb = (size: number): Uint8Array => octets(`<feedback>${'<!---->'.repeat(size / 7)}`)
/** A report that deflate makes little of, of that many octets or a little more. */
function dense(size: number): Uint8Array {
  let state = 1
  const records: string[] = []
  for (let length = 0; length < size; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    const one = record(`10.${state % 256}.${(state >>> 8) % 256}.${(state >>> 16) % 256}`, state)
    records.push(one)
    length += one.length
  }
  return octets(feedback(records.join('')))
}

describe('an archive', () => {
  const rows: readonly (readonly [what: string, archive: () => Uint8Array, outcome: string])[] = [
    ['gzip', () => gzipSync(good), 'report'],
    ['gzip of several members that are one file', () => Buffer.concat([gzipSync(good.subarray(0, 100)), gzipSync(good.subarray(100))]), 'report'],
    ['gzip with a line end after it', () => Buffer.concat([gzipSync(good), Buffer.from('\r\n')]), 'report'],
    ['gzip cut short', () => gzipSync(good).subarray(0, -20), 'REPORT_ARCHIVE'],
    ['gzip with a wrong checksum', () => Buffer.concat([gzipSync(good).subarray(0, -8), Buffer.alloc(8)]), 'REPORT_ARCHIVE'],
    ['gzip of gzip', () => gzipSync(gzipSync(good)), 'REPORT_KIND'],
    ['gzip of nothing', () => gzipSync(octets('')), 'REPORT_KIND'],
    ['gzip of 300,000 members of nothing', () => Buffer.concat(Array<Buffer>(300_000).fill(gzipSync(octets('')))), 'REPORT_KIND'],
    ['gzip that grows by more than 200', () => gzipSync(bomb(8 * MIB)), 'REPORT_BOMB'],
    ['gzip of more than 20 MiB', () => gzipSync(dense(21 * MIB), { level: 1 }), 'REPORT_TOO_LARGE'],
    ['gzip of more than 15 MiB', () => Buffer.concat([gzipSync(good), Buffer.alloc(15 * MIB, 1)]), 'REPORT_TOO_LARGE'],
    ['a ZIP', () => zip([{ name: 'a.xml', octets: good }]), 'report'],
    ['a ZIP of a file that is stored', () => zip([{ name: 'a.xml', octets: good, deflate: false }]), 'report'],
    ['a ZIP of JSON', () => zip([{ name: 'a.json', octets: octets(tlsJson()) }]), 'report'],
    ['a ZIP with a folder before it', () => zip([{ name: 'a/', octets: octets('') }, { name: 'a/a.xml', octets: good }]), 'report'],
    ['a ZIP of macOS', () => zip([{ name: '__MACOSX/._a.xml', octets: octets('x') }, { name: 'a.xml', octets: good }]), 'report'],
    ['a ZIP whose file would lie elsewhere', () => zip([{ name: '../../etc/passwd', octets: good }]), 'report'],
    ['a ZIP of a ZIP', () => zip([{ name: 'a.zip', octets: zip([{ name: 'a.xml', octets: good }]) }]), 'REPORT_KIND'],
    ['a ZIP of folders', () => zip([{ name: 'a/', octets: octets('') }]), 'REPORT_ARCHIVE'],
    ['a ZIP of 17 files', () => zip(Array.from({ length: 17 }, (_, at) => ({ name: `${at}.xml`, octets: good }))), 'REPORT_BOMB'],
    ['a ZIP that claims 60,000 files', () => zip([{ name: 'a.xml', octets: good }], { count: 60_000 }), 'REPORT_BOMB'],
    ['a ZIP that claims more files than it has', () => zip([{ name: 'a/', octets: octets('') }], { count: 9 }), 'REPORT_ARCHIVE'],
    ['a ZIP of files in one place', () => zip([{ name: 'a.xml', octets: good }, ...Array.from({ length: 15 }, () => ({ name: 'a.xml', octets: good, overlaps: 0 }))]), 'report'],
    ['a ZIP that claims less than it holds', () => zip([{ name: 'a.xml', octets: bomb(8 * MIB), claims: 100 }]), 'REPORT_ARCHIVE'],
    ['a ZIP that claims more than it holds', () => zip([{ name: 'a.xml', octets: good, claims: 5_000 }]), 'REPORT_ARCHIVE'],
    ['a ZIP that claims 2 GiB', () => zip([{ name: 'a.xml', octets: good, claims: 2 ** 31 }]), 'REPORT_TOO_LARGE'],
    ['a ZIP that grows by more than 200', () => zip([{ name: 'a.xml', octets: bomb(8 * MIB) }]), 'REPORT_BOMB'],
    ['a ZIP of more than 20 MiB', () => zip([{ name: 'a.xml', octets: dense(21 * MIB) }]), 'REPORT_TOO_LARGE'],
    ['a ZIP with a password', () => zip([{ name: 'a.xml', octets: good, encrypted: true }]), 'REPORT_ARCHIVE'],
    ['a ZIP cut short', () => zip([{ name: 'a.xml', octets: good }]).subarray(0, -10), 'REPORT_ARCHIVE'],
    ['a ZIP without its directory', () => zip([{ name: 'a.xml', octets: good }]).subarray(0, 60), 'REPORT_ARCHIVE'],
    ['neither of them', () => deflateRawSync(good), 'REPORT_KIND'],
    ['nothing', () => octets(''), 'REPORT_KIND'],
  ]
  for (const [what, archive, expected] of rows) {
    it(`${what}: ${expected}`, async () => {
      expect(await outcome(read(new Uint8Array(archive())))).toBe(expected)
    })
  }

  it('that is a bomb is left alone at 200 times its octets', async () => {
    for (const packed of [gzipSync(bomb(15 * MIB)), gzipSync(Buffer.alloc(15 * MIB, ' '))]) {
      const work: ReportWork = { octets: 0, elements: 0, characters: 0 }
      await read(new Uint8Array(packed), work)
      expect(work.octets).toBeLessThan(Math.max(MIB, 200 * packed.length) + 64 * KIB)
    }
  })

  it('that claims to be large is not unpacked at all', async () => {
    const work: ReportWork = { octets: 0, elements: 0, characters: 0 }
    await read(zip([{ name: 'a.xml', octets: good, claims: 2 ** 31 }]), work)
    expect(work.octets).toBe(0)
  })
})

describe('XML', () => {
  const xml = (inside: string): string => `<feedback>${METADATA}${POLICY}${record()}${inside}</feedback>`
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join('')
  const rows: readonly (readonly [what: string, text: () => string, outcome: string])[] = [
    ['a document type', () => `<!DOCTYPE feedback>${feedback(record(), '')}`, 'REPORT_DOCTYPE'],
    ['a billion laughs', () => `<?xml version="1.0"?><!DOCTYPE f [<!ENTITY l0 "ha">${laughs}]>${feedback(record().replace('192', '&l9;'), '')}`, 'REPORT_DOCTYPE'],
    ['an external entity', () => `<?xml version="1.0"?><!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>${feedback(record().replace('>example', '>&x;'), '')}`, 'REPORT_DOCTYPE'],
    ['an external document type', () => `<!DOCTYPE feedback SYSTEM "http://192.0.2.1/x.dtd">${feedback(record(), '')}`, 'REPORT_DOCTYPE'],
    ['a document type in the root', () => xml('<!DOCTYPE x>'), 'REPORT_SYNTAX'],
    ['an entity without one', () => feedback().replace('>Reporter<', '>&l9;<'), 'REPORT_SYNTAX'],
    ['a character that can not be', () => feedback().replace('>Reporter<', '>&#0;<'), 'REPORT_SYNTAX'],
    ['33 levels', () => xml(`${'<a>'.repeat(32)}${'</a>'.repeat(32)}`), 'REPORT_COMPLEX'],
    ['32 levels', () => xml(`${'<a>'.repeat(31)}${'</a>'.repeat(31)}`), 'report'],
    ['a million levels', () => xml('<a>'.repeat(1_000_000)), 'REPORT_COMPLEX'],
    ['a million levels of something else', () => xml(`<x:a>${'<a>'.repeat(1_000_000)}`), 'REPORT_COMPLEX'],
    ['5,001 elements in one', () => xml(`<a>${'<b/>'.repeat(5_001)}</a>`), 'REPORT_COMPLEX'],
    ['more than a million elements', () => xml('<a/>'.repeat(1_000_001)), 'REPORT_COMPLEX'],
    ['an attribute of 3 MiB', () => xml(`<a b="${'x'.repeat(3 * MIB)}"/>`), 'REPORT_COMPLEX'],
    ['an attribute of half a MiB', () => xml(`<a b="${'x'.repeat(MIB / 2)}"/>`), 'report'],
    ['65 attributes', () => xml(`<a ${Array.from({ length: 65 }, (_, at) => `b${at}="1"`).join(' ')}/>`), 'REPORT_COMPLEX'],
    ['64 attributes, twice', () => xml(`<a ${Array.from({ length: 64 }, (_, at) => `b${at}="1"`).join(' ')}/>`.repeat(2)), 'report'],
    ['100,000 attributes of something else', () => xml(`<x:a ${Array.from({ length: 100_000 }, (_, at) => `b${at}="1"`).join(' ')}/>`), 'REPORT_COMPLEX'],
    ['an attribute twice', () => xml('<a b="1" b="2"/>'), 'REPORT_SYNTAX'],
    ['a name of 3 MiB', () => xml(`<${'a'.repeat(3 * MIB)}/>`), 'REPORT_COMPLEX'],
    ['a text of 3 MiB', () => xml(`<a>${'x'.repeat(3 * MIB)}</a>`), 'REPORT_COMPLEX'],
    ['a comment of 3 MiB', () => xml(`<!--${'x'.repeat(3 * MIB)}-->`), 'REPORT_COMPLEX'],
    ['an instruction of 3 MiB', () => xml(`<?a ${'x'.repeat(3 * MIB)}?>`), 'REPORT_COMPLEX'],
    ['half a million comments', () => xml('<!---->'.repeat(500_000)), 'report'],
    ['a text in half a million pieces', () => xml(`<a>${'<![CDATA[x]]>'.repeat(500_000)}</a>`), 'report'],
    ['nothing but blanks', () => ' '.repeat(60) + '\n'.repeat(3 * MIB), 'REPORT_KIND'],
    ['a declaration without an end', () => `<?xml version="1.0" ${'x'.repeat(3 * MIB)}`, 'REPORT_COMPLEX'],
  ]
  for (const [what, text, expected] of rows) {
    it(`with ${what}: ${expected}`, async () => {
      expect(await outcome(read(text()))).toBe(expected)
    })
  }
})

describe('JSON', () => {
  const inside = (value: string): string => `${tlsJson().slice(0, -1)},"x":${value}}`
  const rows: readonly (readonly [what: string, text: () => string, outcome: string])[] = [
    ['16 levels', () => inside(`${'['.repeat(15)}${']'.repeat(15)}`), 'report'],
    ['17 levels', () => inside(`${'['.repeat(16)}${']'.repeat(16)}`), 'REPORT_COMPLEX'],
    ['a million levels', () => inside('['.repeat(1_000_000)), 'REPORT_COMPLEX'],
    ['a million values', () => inside(`[${'1,'.repeat(1_000_000)}1]`), 'REPORT_COMPLEX'],
    ['a million values behind a quote in a string', () => inside(`["\\"",${'1,'.repeat(1_000_000)}1]`), 'REPORT_COMPLEX'],
    ['a million values behind a backslash in a string', () => inside(`["\\\\",${'1,'.repeat(1_000_000)}1]`), 'REPORT_COMPLEX'],
    ['a million names', () => `{${'"a":1,'.repeat(500_000)}"b":1}`, 'REPORT_COMPLEX'],
    ['brackets in a string', () => inside(JSON.stringify('[{"\\'.repeat(100_000))), 'report'],
    ['a string of 4 MiB', () => inside(`"${'x'.repeat(4 * MIB)}"`), 'report'],
    ['more than 5 MiB', () => inside(`"${'x'.repeat(5 * MIB)}"`), 'REPORT_TOO_LARGE'],
    ['a string without an end', () => inside('"x'), 'REPORT_SYNTAX'],
    ['octets that are no UTF-8', () => '', 'REPORT_CHARSET'],
  ]
  for (const [what, text, expected] of rows) {
    it(`with ${what}: ${expected}`, async () => {
      const file = expected === 'REPORT_CHARSET' ? Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xff, 0xfe), Buffer.from('"}')]) : Buffer.from(text())
      expect(await outcome(read(new Uint8Array(file)))).toBe(expected)
    })
  }
})

// Sixteen times the octets may take at most twenty times the work.
describe('work', () => {
  const made: readonly (readonly [what: string, make: (size: number) => Uint8Array])[] = [
    ['records', dense],
    ['records in gzip', (size) => gzipSync(dense(size))],
    ['records in ZIP', (size) => zip([{ name: 'a.xml', octets: dense(size) }])],
    ['elements', (size) => octets(feedback('<a/>'.repeat(size / 4)))],
    ['a text', (size) => octets(feedback(`<a>${'&amp;'.repeat(size / 5)}</a>`))],
    ['pieces of a text', (size) => octets(feedback(`<a>${'<![CDATA[x]]>'.repeat(size / 13)}</a>`))],
    ['signatures', (size) => octets(feedback(record('192.0.2.1', 1, `<auth_results>${'<dkim><domain>example.org</domain></dkim>'.repeat(60)}</auth_results>`).repeat(size / 2_500)))],
  ]
  for (const [what, make] of made) {
    it(`grows with ${what} and not faster`, async () => {
      const [small, large] = await Promise.all(
        [64 * KIB, MIB].map(async (size) => {
          const work: ReportWork = { octets: 0, elements: 0, characters: 0 }
          await read(make(size), work)
          return work
        }),
      ) as [ReportWork, ReportWork]
      expect(small.octets).toBeGreaterThan(32 * KIB)
      for (const count of ['octets', 'elements', 'characters'] as const) expect(large[count], count).toBeLessThanOrEqual(20 * small[count])
    })
  }

  const lone: readonly (readonly [what: string, small: string, large: string])[] = ['<a b="', '<!--', '<', '<?a ', '{"', '{"a":"\\'].map((beginning) => [
    `${beginning}…`,
    feedback('').slice(0, -11) + beginning + 'x'.repeat(64 * KIB),
    feedback('').slice(0, -11) + beginning + 'x'.repeat(MIB - KIB),
  ])
  for (const [what, small, large] of lone) {
    it(`takes time in proportion for ${what}`, async () => {
      const times: number[] = []
      for (const text of [small, large]) {
        const runs: number[] = []
        for (let run = 0; run < 3; run += 1) {
          const begun = performance.now()
          await read(text)
          runs.push(performance.now() - begun)
        }
        times.push(Math.min(...runs))
      }
      // What takes a square of the time takes 256 times as long; the milliseconds are the machine's.
      expect(times[1]).toBeLessThan(60 * (times[0] ?? 0) + 50)
    })
  }
})
