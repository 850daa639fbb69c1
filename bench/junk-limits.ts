/** Messages made to cost: how long one takes, and whether the caps hold. */
import type { JunkFilter } from '@postern/junk/filter'
import { readMessageWords } from '@postern/junk/words'
import { formatFigure, median } from './figures.ts'

const HEADER = 'From: a@example.org\r\nSubject: test\r\n'

/** Prints a line for each. */
export async function measureLimits(filter: JunkFilter): Promise<void> {
  console.log('\nmessages made to cost             octets     words    capped    ms')
  for (const { name, message } of costly()) {
    const octets = Buffer.from(message, 'latin1')
    const { count, truncated } = readMessageWords(octets)
    const times: number[] = []
    for (let round = 0; round < 3; round += 1) {
      const started = performance.now()
      await filter.classify(octets)
      times.push(performance.now() - started)
    }
    const figures = [`${octets.length}`.padStart(10), `${count}`.padStart(10), `${truncated}`.padStart(10), formatFigure(median(times)).padStart(6)]
    console.log(`${name.padEnd(30)}${figures.join('')}`)
  }
}

function costly(): readonly { readonly name: string; readonly message: string }[] {
  const line = 'The quick brown fox jumps over the lazy dog and goes on to the next line.\r\n'
  const base64 = `${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODkwYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4'}\r\n`
  const attachment = `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n${line.repeat(20)}--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n`
  const words = Array.from({ length: 100_000 }, (_, index) => `w${index.toString(36)}`)
  return [
    { name: '25 MB of text', message: `${HEADER}\r\n${line.repeat(340_000)}` },
    { name: '25 MB of attachment', message: `${attachment}${base64.repeat(330_000)}--b--\r\n` },
    { name: '25 MB of HTML', message: `${HEADER}Content-Type: text/html\r\n\r\n${'<p>A word<br>of <b>it</b>\r\n'.repeat(1_000_000)}` },
    { name: '100,000 distinct words', message: `${HEADER}\r\n${words.join(' ')}` },
    { name: 'a word of 1 MB', message: `${HEADER}\r\n${'a'.repeat(1_000_000)}` },
    { name: '100,000 fields', message: `${Array.from({ length: 100_000 }, (_, index) => `X-${index}: v\r\n`).join('')}\r\n` },
    { name: 'parts within 10,000 parts', message: nested(10_000) },
    { name: '100,000 open tags', message: `${HEADER}Content-Type: text/html\r\n\r\n${'<a href="'.repeat(100_000)}` },
  ]
}

function nested(depth: number): string {
  let out = HEADER
  for (let level = 0; level < depth; level += 1) out += `Content-Type: multipart/mixed; boundary=b${level}\r\n\r\n--b${level}\r\n`
  return out
}
