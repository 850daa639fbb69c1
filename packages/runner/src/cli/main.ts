#!/usr/bin/env node
/** The `postern` command. */
import { createProgram } from './index.ts'

try {
  const program = await createProgram(process.argv.slice(2))
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`postern: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
