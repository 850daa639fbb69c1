import { readdirSync, readFileSync } from 'node:fs'
import { transcriptCases } from '@postern/core/conformance'
import { describe, test } from 'vitest'
import { imapHarness } from './imap-harness.ts'

const folder = new URL('./transcripts/', import.meta.url)

for (const file of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
  describe(file, () => {
    for (const { name, run } of transcriptCases(readFileSync(new URL(file, folder), 'utf8'), imapHarness)) test(name, run)
  })
}
