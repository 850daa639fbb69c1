// A store in a process of its own: `hold` keeps it open until killed, `fill` writes until a commit fails.
import { join } from 'node:path'
import { silentLogger } from '@postern/core/host'
import { systemClock } from '../../src/host/clock.ts'
import { systemRandom } from '../../src/host/random.ts'
import { openCommitter } from '../../src/store/committer.ts'
import { openDataDirectory } from '../../src/store/data-directory.ts'

const [task, directory] = process.argv.slice(2)
if (task === undefined || directory === undefined) throw new Error('Usage: store-child.ts TASK DIRECTORY')

let unhandled = 0
process.on('unhandledRejection', () => {
  unhandled += 1
})

function tell(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code
}

if (task === 'hold') {
  const opened = await openDataDirectory({
    directory,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  }).catch((error: unknown) => tell({ refused: codeOf(error), text: String(error) }))
  if (opened !== undefined) {
    const [partition, value] = [Uint8Array.of(0x61, 0), Uint8Array.of(1)]
    await opened.store.commit({ partition, put: [{ key: Uint8Array.of(0x61, 0, 0), value }] })
    tell({ opened: process.pid })
    setInterval(() => {}, 1000)
  }
} else {
  // `fill-full`: the disk says that nothing is left; `fill-failed`: that there is plenty, so the failure is another.
  const freeOctets = task === 'fill-full' ? 0 : 10 ** 15
  const store = openCommitter({
    path: join(directory, 'store.mdb'),
    clock: systemClock,
    log: silentLogger,
    disk: { freeOctets: async () => freeOctets },
  })
  const write = (n: number): Promise<unknown> => {
    const put = Array.from({ length: 50 }, (_, i) => ({
      key: Uint8Array.of(0x61, n >> 8, n & 0xff, i),
      value: new Uint8Array(8000).fill(i),
    }))
    return store.commit({ partition: Uint8Array.of(0x61), put }).catch(codeOf)
  }
  let committed = 0
  let outcome: unknown
  for (; committed < 1000; committed += 1) {
    outcome = await write(committed)
    if (outcome !== 'committed') break
  }
  const together = await Promise.all([write(2000), write(2001), write(2002)])
  const { writable } = store
  const last = await store.range({ from: Uint8Array.of(0x61), to: Uint8Array.of(0x62), reverse: true, limit: 1 })
  // What was refused left nothing behind: deleting makes room for the next commit.
  const del = Array.from({ length: 50 }, (_, i) => Uint8Array.of(0x61, 0, 0, i))
  const deleted = await store.commit({ partition: Uint8Array.of(0x61), delete: del }).catch(codeOf)
  await store.close()
  await new Promise((resolve) => setTimeout(resolve, 50))
  tell({ committed, outcome, together, writable, lastKey: [...(last[0]?.key ?? [])], deleted, unhandled })
}
