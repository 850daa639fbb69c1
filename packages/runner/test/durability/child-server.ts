/** Starts, kills and talks to a server in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { createConnection, type Socket } from 'node:net'
import type { Endpoint } from '../../src/index.ts'

export interface ChildServer {
  readonly process: ChildProcess
  readonly smtpPort: number
  readonly imapPort: number
  /** What it wrote to standard error so far. */
  readonly log: () => string
  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

export async function startChild(dataDir: string, env: Readonly<Record<string, string>> = {}): Promise<ChildServer> {
  const child = spawn(
    process.execPath,
    ['--conditions=postern-source', '--import', 'tsx', new URL('serve-child.ts', import.meta.url).pathname, dataDir],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let log = ''
  child.stderr.on('data', (text: Buffer) => {
    log += text.toString()
  })
  const ended = once(child, 'exit')
  const first = await Promise.race([once(createInterface(child.stdout), 'line'), ended.then(() => undefined)])
  if (first === undefined) throw new Error(`The server did not start: ${log}`)
  const endpoints = JSON.parse(String(first[0])) as readonly Endpoint[]
  const portOf = (protocol: string): number => endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0
  return {
    process: child,
    smtpPort: portOf('smtp'),
    imapPort: portOf('imap'),
    log: () => log,
    async kill(signal) {
      child.kill(signal)
      await ended
    },
  }
}

/** One line-by-line conversation as a client. */
export class LineClient {
  readonly #socket: Socket
  #received = ''
  #wake: () => void = () => {}
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      this.#received += text
      this.#wake()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake()
    })
  }

  static async connect(port: number): Promise<LineClient> {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new LineClient(socket)
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** The next line, or undefined when the connection is over. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#received.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#received.slice(0, end)
        this.#received = this.#received.slice(end + 2)
        return line
      }
      if (this.#closed) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The last line of an SMTP reply. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = await this.line()
      if (line === undefined || line[3] !== '-') return line
    }
  }

  /** Lines up to the tagged one, that included. */
  async tagged(tag: string): Promise<readonly string[] | undefined> {
    const lines: string[] = []
    for (;;) {
      const line = await this.line()
      if (line === undefined) return undefined
      lines.push(line)
      if (line.startsWith(`${tag} `)) return lines
    }
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
