/** An IMAP client that does as little as can be: sends a command, counts octets until its tag comes back. */
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

export class ImapClient {
  readonly #socket: Socket
  #tag = 0
  /** The end of what came, long enough for a tagged line. */
  #tail = ''
  #octets = 0
  #look: () => void = () => {}
  #over = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (octets: Buffer) => {
      this.#octets += octets.length
      this.#tail = (this.#tail + octets.subarray(-600).toString('latin1')).slice(-1200)
      this.#look()
    })
    socket.on('close', () => {
      this.#over = true
      this.#look()
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
    const tag = this.send(text)
    await this.done(tag)
    return this.#octets
  }

  /** Sends without waiting. @returns the tag */
  send(text: string): string {
    this.#tag += 1
    const tag = `t${this.#tag}x`
    this.#socket.write(`${tag} ${text}\r\n`, 'latin1')
    return tag
  }

  done(tag: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#look = () => {
        const at = this.#tail.lastIndexOf(`${tag} `)
        if (at >= 0 && (at === 0 || this.#tail[at - 1] === '\n') && this.#tail.indexOf('\r\n', at) > 0) {
          const line = this.#tail.slice(at)
          this.#look = () => {}
          if (line.startsWith(`${tag} OK`)) resolve()
          else reject(new Error(line))
        } else if (this.#over) reject(new Error(`Connection over: ${this.#tail}`))
      }
      this.#look()
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
