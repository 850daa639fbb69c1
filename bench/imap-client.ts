/** An IMAP client that does as little as can be: sends commands, counts octets, looks for the tagged lines it waits for. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** A tagged line is at the end of what came, and shorter than this. */
const TAIL_OCTETS = 1_200

export class ImapClient {
  readonly #socket: Socket
  readonly #waiting = new Map<string, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  readonly #answers = new Map<string, Promise<void>>()
  #tag = 0
  #tail = ''
  #octets = 0
  #isOver = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (octets: Buffer) => {
      this.#octets += octets.length
      // With several commands under way, each tagged line counts; with one, only the last of a long answer can be it.
      const from = this.#waiting.size > 1 ? 0 : Math.max(0, octets.length - TAIL_OCTETS)
      this.#tail += octets.toString('latin1', from)
      this.#look()
    })
    socket.on('close', () => {
      this.#isOver = true
      for (const { reject } of this.#waiting.values()) reject(new Error(`Connection over: ${this.#tail}`))
      this.#waiting.clear()
    })
    socket.on('error', () => {})
  }

  static async login(port: number, user: string, password: string): Promise<ImapClient> {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.setNoDelay(true)
    await once(socket, 'connect')
    const client = new ImapClient(socket)
    await client.command(`LOGIN ${user} ${password}`)
    return client
  }

  /** Sends one command. @returns octets that came; rejects when it isn't answered OK */
  async command(text: string): Promise<number> {
    this.#octets = 0
    await this.done(this.send(text))
    return this.#octets
  }

  /** Sends without waiting. @returns the tag, to be given to `done` before anything else happens */
  send(text: string): string {
    this.#tag += 1
    const tag = `t${this.#tag}x`
    this.#answers.set(tag, new Promise((resolve, reject) => this.#waiting.set(tag, { resolve, reject })))
    this.#answers.get(tag)?.catch(() => undefined)
    if (this.#isOver) this.#waiting.get(tag)?.reject(new Error('Connection over'))
    this.#socket.write(`${tag} ${text}\r\n`, 'latin1')
    return tag
  }

  /** Resolves when the command was answered OK; rejects with its line when it was answered otherwise. */
  async done(tag: string): Promise<void> {
    const answer = this.#answers.get(tag)
    this.#answers.delete(tag)
    await answer
  }

  close(): void {
    this.#socket.destroy()
  }

  #look(): void {
    for (let end = this.#tail.indexOf('\r\n'); end >= 0; end = this.#tail.indexOf('\r\n')) {
      const line = this.#tail.slice(0, end)
      this.#tail = this.#tail.slice(end + 2)
      const tag = line.slice(0, line.indexOf(' '))
      const waiting = this.#waiting.get(tag)
      if (waiting === undefined) continue
      this.#waiting.delete(tag)
      if (line.startsWith(`${tag} OK`)) waiting.resolve()
      else waiting.reject(new Error(line))
    }
    if (this.#tail.length > TAIL_OCTETS) this.#tail = this.#tail.slice(-TAIL_OCTETS)
  }
}
