/** Our server in a mail network, and what it tells of the mail that comes to it. */
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { once } from 'node:events'
import { ADDRESSES, type MailNetwork } from './mail-network.ts'
import type { Told } from './mta-child.ts'

export interface NetworkServer {
  /** The next of what it tells that fits; each is given out once. Rejects when it does not come within 20 s, or, after the first such time, 1 s. */
  next(fits: (told: Told) => boolean): Promise<Told>
  close(): Promise<void>
}

const PATIENCE_MS = 20_000

export async function startNetworkServer(network: MailNetwork): Promise<NetworkServer> {
  const child = network.start(process.execPath, [
    '--conditions=postern-source',
    '--import',
    createRequire(import.meta.url).resolve('tsx'),
    new URL('mta-child.ts', import.meta.url).pathname,
    `${network.dir}/server`,
    ADDRESSES.server,
  ])
  const unread: Told[] = []
  let errors = ''
  let wake: () => void = () => {}
  let isOver = false
  let patienceMs = PATIENCE_MS
  createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
    unread.push(JSON.parse(line) as Told)
    wake()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = once(child, 'exit').then(() => {
    isOver = true
    wake()
  })
  const server: NetworkServer = {
    async next(fits) {
      const until = Date.now() + patienceMs
      for (;;) {
        const at = unread.findIndex(fits)
        if (at >= 0) return unread.splice(at, 1)[0] as Told
        if (isOver || Date.now() >= until) {
          patienceMs = 1_000
          throw new Error(`The server did not tell of it: ${JSON.stringify(unread).slice(0, 1_000)} ${errors}`)
        }
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, until - Date.now())
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
    },
    async close() {
      child.stdin?.end()
      await ended
    },
  }
  await server.next(({ kind }) => kind === 'listening')
  return server
}
