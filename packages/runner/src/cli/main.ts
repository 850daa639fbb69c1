#!/usr/bin/env node
/** The `postern` command. */
import { Command } from 'commander'
import { cidCommand } from './cid.ts'
import { junkCommand } from './junk.ts'
import { localserveCommand } from './localserve.ts'
import { retrainCommand } from './retrain.ts'

const program = new Command('postern')
program.description('A mail server').showHelpAfterError().addCommand(localserveCommand()).addCommand(junkCommand()).addCommand(retrainCommand()).addCommand(cidCommand())
try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`postern: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}
