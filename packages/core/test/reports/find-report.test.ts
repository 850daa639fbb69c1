import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { parseStructure } from '../../src/message/index.ts'
import { findReport, readReport } from '../../src/reports/index.ts'
import { feedback, outcome, readMail, tlsJson, zip } from './report-files.ts'

const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString('base64').replaceAll(/.{76}/g, '$&\r\n')
const gzipped = base64(gzipSync(feedback()))
const zipped = base64(zip([{ name: 'a.xml', octets: new Uint8Array(Buffer.from(feedback())) }]))

function mail(...lines: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(`From: r@example.com\r\n${lines.join('\r\n')}`))
}

function part(header: string, body: string): string {
  return `--b\r\n${header}\r\n\r\n${body}`
}

function mixed(...parts: readonly string[]): Uint8Array {
  return mail('MIME-Version: 1.0', 'Content-Type: multipart/mixed; boundary=b', '', ...parts, '--b--', '')
}

const encoded = (type: string): string => `Content-Type: ${type}\r\nContent-Transfer-Encoding: base64`

describe('a report in a message', () => {
  const rows: readonly (readonly [what: string, message: Uint8Array, outcome: string])[] = [
    ['as the whole of it, in gzip', mail(encoded('application/gzip'), '', gzipped), 'report'],
    ['as the whole of it, in ZIP', mail(encoded('application/zip; name="a.zip"'), '', zipped), 'report'],
    ['as the whole of it, plain', mail('Content-Type: text/xml', '', feedback()), 'report'],
    ['behind a text', mixed(part('Content-Type: text/plain', 'This is a report.'), part(encoded('application/gzip'), gzipped)), 'report'],
    ['whatever it calls itself', mixed(part(encoded('application/x-zip-compressed'), gzipped), ''), 'report'],
    ['as octets without a name', mixed(part(encoded('application/octet-stream'), zipped)), 'report'],
    ['by its name', mixed(part('Content-Type: text/plain; name="a!b!1!2.xml"', feedback())), 'report'],
    ['by the name of its file', mixed(part(`${encoded('application/octet-stream')}\r\nContent-Disposition: attachment; filename="A.XML.GZ"`, gzipped)), 'report'],
    ['deep in others', mixed(part('Content-Type: multipart/alternative; boundary=c', `--c\r\n${encoded('application/gzip')}\r\n\r\n${gzipped}\r\n--c--\r\n`)), 'report'],
    ['in quoted-printable', mail('Content-Type: application/xml', 'Content-Transfer-Encoding: quoted-printable', '', feedback().replaceAll('=', '=3D')), 'report'],
    ['of TLS, in gzip', mixed(part('Content-Type: text/plain', 'x'), part(encoded('application/tlsrpt+gzip'), base64(gzipSync(tlsJson())))), 'report'],
    ['of TLS, plain', mixed(part('Content-Type: application/tlsrpt+json', tlsJson())), 'report'],
    ['behind octets that are something else', mixed(part(encoded('application/octet-stream'), base64(Buffer.from('\x89PNG'))), part(encoded('application/gzip'), gzipped)), 'report'],
    ['of 16 parts that may be one', mixed(...Array.from({ length: 15 }, () => part('Content-Type: text/xml', 'x')), part(encoded('application/gzip'), gzipped)), 'report'],
    ['of 17 parts that may be one', mixed(...Array.from({ length: 16 }, () => part('Content-Type: text/xml', 'x')), part(encoded('application/gzip'), gzipped)), 'none'],
    ['that somebody forwards', mixed(part('Content-Type: message/rfc822', `Subject: report\r\n${encoded('application/gzip')}\r\n\r\n${gzipped}`)), 'none'],
    ['that is a picture', mixed(part(encoded('image/png'), gzipped)), 'none'],
    ['that is a text', mail('', feedback()), 'none'],
    ['of nothing', mixed(part('Content-Type: text/xml', '')), 'none'],
    ['that is broken', mixed(part(encoded('application/gzip'), gzipped.slice(0, 100))), 'REPORT_ARCHIVE'],
  ]
  for (const [what, message, expected] of rows) {
    it(`${what}: ${expected}`, async () => {
      expect(await outcome(readMail(message))).toBe(expected)
    })
  }

  it('is not read when it is too large for one', async () => {
    const begin = mail('Content-Type: text/xml', '', '<feedback>')
    const structure = parseStructure(begin)
    const { root } = structure
    const large = { ...structure, root: { ...root, end: root.bodyStart + 30 * 1_048_576 } }
    let octets = 0
    const reading = readReport({
      structure: large,
      read: async (from, to) => {
        octets += to - from
        return from === root.bodyStart ? begin.subarray(from) : new Uint8Array(to - from).fill(0x20)
      },
    })
    expect(await outcome(reading)).toBe('REPORT_TOO_LARGE')
    expect(octets).toBeLessThan(100_000)
  })

  it('is given as it came, still packed', async () => {
    const octets = mail(encoded('application/zip'), '', zipped)
    const found = await findReport({ structure: parseStructure(octets), read: async (from, to) => octets.subarray(from, to) })
    expect(found?.packing).toBe('zip')
    expect(Buffer.from(found?.octets ?? []).toString('base64')).toBe(zipped.replaceAll('\r\n', ''))
  })

  it('rejects as reading the message does', async () => {
    const octets = mail('Content-Type: text/xml', '', feedback())
    const read = (): Promise<Uint8Array> => Promise.reject(new Error('disk'))
    await expect(readReport({ structure: parseStructure(octets), read })).rejects.toThrow('disk')
  })
})
