/** `postern retrain`: makes what the filter of content has learned from an account anew, in a store no server has open. */
import { stat } from 'node:fs/promises'
import { StoreError } from '@postern/core/store'
import { Command } from 'commander'
import { createLogger } from '../host/log.ts'
import { createJunkReader } from '../server/junk-reader.ts'
import { rebuildCorpus } from '../server/junk-retrain.ts'
import { MessageThread } from '../server/message-thread.ts'
import { lmdbStore } from '../store/lmdb-store.ts'

interface RetrainFlags {
  readonly dir: string
  readonly json?: true
}

export function retrainCommand(): Command {
  return new Command('retrain')
    .argument('<account>', 'name of the account')
    .requiredOption('--dir <directory>', 'data directory of the server, which must not be running')
    .option('--json', 'tell in JSON')
    .action(runRetrain)
}

async function runRetrain(name: string, flags: RetrainFlags): Promise<void> {
  // Opening would make it.
  const isThere = await stat(flags.dir).then((found) => found.isDirectory(), () => false)
  if (!isThere) throw new Error(`There is no directory ${flags.dir}`)
  const logger = createLogger({ level: 'warn' })
  const store = await lmdbStore({ dir: flags.dir, logger }).catch((error: unknown) => {
    if (!(error instanceof StoreError) || error.code !== 'STORE_LOCKED') throw error
    throw new Error(`A server has ${flags.dir} open: stop it first, or retrain from within it (accounts.get(name), retrain())`, { cause: error })
  })
  const thread = new MessageThread({ logger })
  const reader = createJunkReader(thread)
  try {
    const account = await store.account(name)
    if (account === undefined) throw new Error(`There is no account ${name} in ${flags.dir}; there are: ${(await store.accounts()).join(', ') || 'none'}`)
    const isShown = process.stderr.isTTY && flags.json !== true
    const report = await rebuildCorpus(account, reader, { onProgress: ({ messages }) => void (isShown && process.stderr.write(`\r${messages} messages`)) })
    if (isShown) process.stderr.write('\r')
    process.stdout.write(flags.json === true ? `${JSON.stringify(report)}\n` : `Learned ${report.ham} ham and ${report.spam} spam from ${report.messages} messages of ${name}.\n`)
  } finally {
    await thread.close()
    await store.close()
  }
}
