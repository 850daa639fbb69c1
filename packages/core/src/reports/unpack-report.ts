/**
 * Takes a report out of what it is packed in: gzip, the first file of a ZIP archive, or nothing. RFC 9990 §3.5.2, RFC
 * 8460 §3
 *
 * Once, never what is inside of what was unpacked; octets come out in pieces as they are asked for, so that whoever
 * stops asking has paid for nothing more.
 */
import { setImmediate } from 'node:timers/promises'
import { createGunzip } from 'node:zlib'
import { type Entry, fromBufferPromise } from 'yauzl'
import { ReportSyntaxError } from './report-syntax-error.ts'

export type Packing = 'gzip' | 'zip' | 'none'

/** Counts octets that came out. */
export interface UnpackWork {
  octets: number
}

/** LIMIT: packed reports; many receivers take ten megabytes. RFC 7489 §7.2.1.1 */
const MAX_PACKED_OCTETS = 15 * 1_048_576
/** LIMIT: a report of 20 MiB has some 30,000 rows. */
export const MAX_REPORT_OCTETS = 20 * 1_048_576
/** LIMIT: XML of reports shrinks to a fiftieth at the most; deflate can do a thousandth. */
const MAX_RATIO = 200
/** Below it the ratio does not matter. */
const RATIO_FROM_OCTETS = 1_048_576
/** LIMIT: files of an archive; a report is the only one. */
const MAX_ENTRIES = 16
/** How much comes out at once: 1 to 2 ms of reading XML. */
const PIECE_OCTETS = 16_384

const SLASH = 0x2f

/**
 * What a report begins with tells what it is in, whatever the media type says.
 * @returns undefined when it is nothing a report may be
 */
export function detectPacking(octets: Uint8Array): Packing | undefined {
  const [a, b, c, d] = octets
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x50 && b === 0x4b && c === 0x03 && d === 0x04) return 'zip'
  return detectContent(octets) === undefined ? undefined : 'none'
}

/** XML begins with `<`, JSON with `{`; byte order marks and blanks may stand before them. */
export function detectContent(octets: Uint8Array): 'xml' | 'json' | undefined {
  for (const octet of octets.subarray(0, 64)) {
    if (octet === 0x3c) return 'xml'
    if (octet === 0x7b) return 'json'
    const isMark = octet === 0xef || octet === 0xbb || octet === 0xbf || octet === 0xfe || octet === 0xff
    if (!isMark && octet > 0x20) return undefined
  }
  return undefined
}

/**
 * The report's octets in pieces of some 16 KiB, each valid until the next one; others get their turn of the event loop between them.
 * Throws `ReportSyntaxError` REPORT_TOO_LARGE, REPORT_BOMB or REPORT_ARCHIVE when it comes to that.
 */
export async function* unpackReport(
  packed: Uint8Array,
  work: UnpackWork = { octets: 0 },
): AsyncGenerator<Uint8Array, void, undefined> {
  const packing = detectPacking(packed)
  if (packing !== 'none' && packed.length > MAX_PACKED_OCTETS) tooLarge(MAX_PACKED_OCTETS)
  const pieces = packing === 'gzip' ? gunzip(packed) : packing === 'zip' ? unzip(packed) : cut(packed)
  let octets = 0
  for await (const piece of pieces) {
    octets += piece.length
    work.octets += piece.length
    checkSize(octets, packed.length)
    yield piece
  }
}

async function* cut(octets: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < octets.length; at += PIECE_OCTETS) {
    // Others get their turn of the event loop, as they do while octets are being unpacked.
    if (at > 0) await setImmediate()
    yield octets.subarray(at, at + PIECE_OCTETS)
  }
}

/**
 * All members, one after the other: they are one file. RFC 1952 §2.2
 * QUIRK(mimecast.com): a line end after them. It can't be theirs: they end in their size, whose last octet, the highest,
 * is 0 or 1 for all that is read here.
 */
async function* gunzip(packed: Uint8Array): AsyncGenerator<Uint8Array> {
  let end = packed.length
  while (packed[end - 1] === 0x0a || packed[end - 1] === 0x0d) end -= 1
  const stream = createGunzip({ chunkSize: PIECE_OCTETS })
  stream.end(packed.subarray(0, end))
  yield* fromArchive(stream)
}

/** The first file. Names mean nothing: nothing is written anywhere. */
async function* unzip(packed: Uint8Array): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const zip = await archive(() => fromBufferPromise(buffer, { lazyEntries: true, decodeStrings: false }))
  if (zip.entryCount > MAX_ENTRIES) throw new ReportSyntaxError('REPORT_BOMB', `Expected at most ${MAX_ENTRIES} files`)
  const entry = await archive(async () => {
    for await (const candidate of zip.eachEntry()) if (isFile(candidate)) return candidate
    throw new ReportSyntaxError('REPORT_ARCHIVE', 'Expected a file in the archive')
  })
  if (entry.isEncrypted()) throw new ReportSyntaxError('REPORT_ARCHIVE', 'Expected an archive without encryption')
  // The size it claims; what comes out is held to it.
  checkSize(entry.uncompressedSize, packed.length)
  yield* fromArchive(await archive(() => zip.openReadStreamPromise(entry)))
}

/** QUIRK(macOS): `__MACOSX/` holds what its file system knows beside a file. */
function isFile({ fileNameRaw }: Entry): boolean {
  return fileNameRaw.at(-1) !== SLASH && !fileNameRaw.toString('latin1').startsWith('__MACOSX/')
}

async function* fromArchive(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  const pieces = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await archive(() => pieces.next())
      if (done === true) return
      yield value as Uint8Array
    }
  } finally {
    await pieces.return?.()
  }
}

/** Whatever the unpackers have to say against it, the archive is broken. */
async function archive<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (cause) {
    if (cause instanceof ReportSyntaxError) throw cause
    throw new ReportSyntaxError('REPORT_ARCHIVE', 'Expected an archive that can be unpacked', { cause })
  }
}

function checkSize(octets: number, packedOctets: number): void {
  if (octets > MAX_REPORT_OCTETS) tooLarge(MAX_REPORT_OCTETS)
  if (octets > RATIO_FROM_OCTETS && octets > MAX_RATIO * packedOctets) {
    throw new ReportSyntaxError('REPORT_BOMB', `Expected at most ${MAX_RATIO} times the packed octets`)
  }
}

function tooLarge(limit: number): never {
  throw new ReportSyntaxError('REPORT_TOO_LARGE', `Expected at most ${limit} octets`)
}
