import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseStructure } from '../../src/message/index.ts'
import { decodeReport, readReport, readReportFile, type ReportReading } from '../../src/reports/index.ts'
import { feedback, record, tlsJson, zip } from './report-files.ts'

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const samples: readonly Uint8Array[] = [
  octets(feedback(record().repeat(3))),
  octets(tlsJson()),
  new Uint8Array(gzipSync(feedback())),
  zip([{ name: 'a.xml', octets: octets(feedback()) }]),
  zip([{ name: 'a.json', octets: octets(tlsJson()), deflate: false }]),
]

/** A sample with some octets changed, and a piece of it taken out or put in twice. */
const spoiled = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 4 }),
    fc.option(fc.tuple(fc.nat(), fc.nat({ max: 40 }), fc.boolean())),
  )
  .map(([sample, changes, cut]) => {
    const copy = sample.slice()
    for (const [at, value] of changes) copy[at % copy.length] = value
    if (cut === null) return copy
    const [at, length, twice] = cut
    const from = at % copy.length
    return new Uint8Array(Buffer.concat([copy.subarray(0, twice ? from + length : from), copy.subarray(twice ? from : from + length)]))
  })

function check(reading: ReportReading): void {
  if (reading.kind !== 'report') return
  const { report } = reading
  expect(report.organization).not.toBe('')
  expect(report.reportId).toMatch(/^.{1,512}$/s)
  expect(Number.isSafeInteger(report.beginSeconds) && Number.isSafeInteger(report.endSeconds)).toBe(true)
  expect(JSON.stringify(report)).not.toMatch(/\\u00[01]/)
}

it('octets of any kind are a report, none or a problem', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(spoiled, fc.uint8Array({ maxLength: 400 })), async (file) => check(await readReportFile(file))),
    { numRuns: 1_500 },
  )
})

it('XML of any kind is a report or a problem', async () => {
  const name = fc.constantFrom('feedback', 'report_metadata', 'date_range', 'begin', 'end', 'record', 'row', 'count', 'x:y', 'policy_published', 'dkim')
  const { node } = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.string({ maxLength: 8 }).map((text) => text.replaceAll(/[<&]/g, '')),
      fc.constantFrom('<!-- -->', '<![CDATA[<]]>', '&lt;', '&x;', '<?p?>', '<!DOCTYPE a>'),
      fc.tuple(name, fc.array(tie('node'), { maxLength: 4 })).map(([tag, inside]) => `<${tag}>${inside.join('')}</${tag}>`),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 6 }), async (nodes) => {
      const reading = await readReportFile(octets(`<feedback>${nodes.join('')}</feedback>`))
      expect(['report', 'problem']).toContain(reading.kind)
    }),
    { numRuns: 500 },
  )
})

it('JSON of any kind is a report or a problem', async () => {
  const names = ['organization-name', 'report-id', 'date-range', 'policies', 'policy', 'summary', 'failure-details', 'policy-type', '__proto__', 'constructor']
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 4 })), async (over) => {
      check(await readReportFile(octets(tlsJson(over))))
    }),
    { numRuns: 500 },
  )
})

it('messages of any kind are read to an end', async () => {
  const lines = fc.array(
    fc.constantFrom('Content-Type: multipart/mixed; boundary=b', 'Content-Type: application/gzip', 'Content-Transfer-Encoding: base64', '', '--b', '--b--', feedback(), Buffer.from(gzipSync(feedback())).toString('base64')),
    { maxLength: 16 },
  )
  await fc.assert(
    fc.asyncProperty(lines, async (written) => {
      const message = octets(written.join('\r\n'))
      check(await readReport({ structure: parseStructure(message), read: async (from, to) => message.subarray(from, to) }))
    }),
    { numRuns: 500 },
  )
})

it('octets of any kind are no record of the store', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (record) => {
      await expect(decodeReport(record)).rejects.toMatchObject({ code: 'REPORT_CORRUPT' })
    }),
  )
})
