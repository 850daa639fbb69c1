/** A peer in a process of its own, started from its TypeScript file; its first line of output says where it listens. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface PeerProcess {
  readonly pid: number
  readonly firstLine: string
  stop(): Promise<void>
}

/** Built packages are what users run: so nothing here resolves to their sources. @param file beside this one */
export async function startPeer(file: string, args: readonly string[]): Promise<PeerProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', new URL(file, import.meta.url).pathname, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => undefined)])
  if (first === undefined || child.pid === undefined) throw new Error(`${file} did not start`)
  return {
    pid: child.pid,
    firstLine: String(first[0]),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
