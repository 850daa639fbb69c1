import { readMessageWords } from '../../src/words/index.ts'

/** Names of all words of a message, written with LF line ends. */
export function namesOf(message: string | Uint8Array): string[] {
  const octets = typeof message === 'string' ? Buffer.from(message, 'utf8') : message
  const words = readMessageWords(octets)
  return Array.from({ length: words.count }, (_, index) => words.nameOf(index))
}

/** Names of the words of a body, without pairs and without those of its header. */
export function bodyWords(body: string | Uint8Array, fields = 'Content-Type: text/plain; charset=utf-8'): string[] {
  const head = Buffer.from(`${fields}\n\n`)
  const names = namesOf(Buffer.concat([head, typeof body === 'string' ? Buffer.from(body, 'utf8') : body]))
  return names.filter((name) => !name.includes(' ') && !/^(?:field|part|content-[a-z-]+|mime-version):/.test(name))
}
