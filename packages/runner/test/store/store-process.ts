/** Runs `store-child.ts` in a process of its own, one line of JSON per answer. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface StoreProcess {
  readonly process: ChildProcess
  /** The next line it writes, parsed; rejects when it ends before. */
  next(): Promise<unknown>
  /** What it wrote to standard error. */
  log(): string
  /** Kills it without a chance to clean up. */
  kill(): Promise<void>
  /** Waits for its end. @returns its exit code */
  ended(): Promise<number | null>
}

/** @param limitBlocks longest file it may write, in blocks of 1 KiB; writes beyond fail, as on a full disk */
export function startStoreProcess(task: string, directory: string, limitBlocks?: number): StoreProcess {
  const child = new URL('store-child.ts', import.meta.url).pathname
  const command = [process.execPath, '--conditions=postern-source', '--import', 'tsx', child, task, directory]
  const shell = `trap '' XFSZ; ${limitBlocks === undefined ? '' : `ulimit -f ${limitBlocks};`} exec "$@"`
  const started = spawn('bash', ['-c', shell, 'bash', ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  started.stderr.on('data', (text: Buffer) => {
    log += text.toString()
  })
  const lines = createInterface(started.stdout)[Symbol.asyncIterator]()
  const exit = once(started, 'exit')
  return {
    process: started,
    async next() {
      const line = await lines.next()
      if (line.done === true) throw new Error(`The process ended: ${log}`)
      return JSON.parse(line.value) as unknown
    },
    log: () => log,
    async kill() {
      started.kill('SIGKILL')
      await exit
    },
    async ended() {
      const [code] = (await exit) as [number | null]
      return code
    },
  }
}
