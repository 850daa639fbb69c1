// `pnpm bench receive|receive-checked|receive-filtered|imap|store|memory|junk|junk-account|junk-choice [--messages N]`: ratios side by side with others' servers, in one run on this machine.
import { benchImap } from './imap.ts'
import { benchJunk } from './junk.ts'
import { benchJunkAccount } from './junk-account.ts'
import { chooseScoring } from './junk-choice.ts'
import { benchMemory } from './memory.ts'
import { benchReceive } from './receive.ts'
import { benchReceiveChecked } from './receive-checked.ts'
import { benchReceiveFiltered } from './receive-filtered.ts'
import { benchStore } from './store.ts'

const benches: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  receive: benchReceive,
  'receive-checked': benchReceiveChecked,
  'receive-filtered': benchReceiveFiltered,
  imap: benchImap,
  memory: benchMemory,
  store: benchStore,
  junk: benchJunk,
  'junk-account': benchJunkAccount,
  'junk-choice': chooseScoring,
}

const [name = '', ...args] = process.argv.slice(2)
const bench = Object.hasOwn(benches, name) ? benches[name] : undefined
if (bench === undefined) {
  console.error(`Usage: pnpm bench ${Object.keys(benches).join('|')}`)
  process.exit(2)
}
await bench(args)
process.exit(process.exitCode ?? 0)
