#!/usr/bin/env node
/** The `postern` command. */
import { Command } from 'commander'
import { localserveCommand } from './localserve.ts'

const program = new Command('postern')
program.description('A mail server').showHelpAfterError().addCommand(localserveCommand())
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`postern: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
