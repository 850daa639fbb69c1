/** One SMTP conversation as a client: each reply as one text. */
import { once } from 'node:events'
import { createConnection } from 'node:net'
import type { Duplex } from 'node:stream'
import type { MailServer } from '../../../src/index.ts'
import { duplexPair } from '../duplex-pair.ts'

export class SmtpClient {
  readonly #stream: Duplex
  #text = ''
  #ended = false
  #wake: () => void = () => {}
  /** Resolves when the server has let go of the conversation. */
  readonly served: Promise<void>

  private constructor(stream: Duplex, served: Promise<void>) {
    this.#stream = stream
    this.served = served
    stream.setEncoding('latin1')
    stream.on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    const onEnd = (): void => {
      this.#ended = true
      this.#wake()
    }
    stream.on('error', onEnd).on('end', onEnd).on('close', onEnd)
  }

  /** In process, from whatever address. */
  static over(server: MailServer, remoteAddress?: string): SmtpClient {
    const [near, far] = duplexPair()
    return new SmtpClient(near, server.handleSmtp(far, remoteAddress === undefined ? {} : { remoteAddress }))
  }

  /** By a socket. @param localAddress some address of 127.0.0.0/8 */
  static async connect(port: number, localAddress = '127.0.0.1'): Promise<SmtpClient> {
    const socket = createConnection({ host: '127.0.0.1', port, localAddress })
    socket.setNoDelay(true)
    await once(socket, 'connect')
    return new SmtpClient(socket, once(socket, 'close').then(() => {}))
  }

  write(text: string): void {
    this.#stream.write(text, 'latin1')
  }

  /** The next reply, its last line alone; undefined when the server has closed. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const reply = /^(?:\d{3}-[^\r]*\r\n)*(\d{3} [^\r]*)\r\n/.exec(this.#text)
      if (reply !== null) {
        this.#text = this.#text.slice(reply[0].length)
        return reply[1]
      }
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async command(line: string): Promise<string | undefined> {
    this.write(`${line}\r\n`)
    return this.reply()
  }

  /** Greeting and EHLO. */
  async greet(name = 'mx.example.com', verb: 'EHLO' | 'HELO' = 'EHLO'): Promise<this> {
    await this.reply()
    await this.command(`${verb} ${name}`)
    return this
  }

  /** The last reply of a transaction: that to the first command refused, or to the message. */
  async send(text: string, { from = 'sender@example.com', to = ['ada@example.org'] }: { readonly from?: string; readonly to?: readonly string[] } = {}): Promise<string | undefined> {
    for (const line of ['RSET', `MAIL FROM:<${from}>`, ...to.map((path) => `RCPT TO:<${path}>`)]) {
      const reply = await this.command(line)
      if (reply?.startsWith('250') !== true) return reply
    }
    const go = await this.command('DATA')
    return go?.startsWith('354') === true ? this.command(`${text}.`) : go
  }

  /** Breaks it off. */
  destroy(): void {
    this.#stream.destroy()
  }

  async quit(): Promise<void> {
    await this.command('QUIT')
    this.#stream.end()
    await this.served
  }
}
