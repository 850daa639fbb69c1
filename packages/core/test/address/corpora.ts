/** Test data of others, which lies beside the project. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const root = process.env['POSTERN_CORPORA'] ?? resolve(import.meta.dirname, '../../../../../shared/corpora')

/** Path of a corpus file, or undefined when it isn't on this machine. */
export function corpusFile(path: string): string | undefined {
  const file = resolve(root, path)
  return existsSync(file) ? file : undefined
}
