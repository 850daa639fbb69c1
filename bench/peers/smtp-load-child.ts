// Sends signed mails by jobs of its parent and answers with what they took. Ends when its parent hangs up. Argument: file of the key.
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { createSignedMails, senderOf, SENDERS } from '../signed-mails.ts'
import type { SignedJob, SignedJobDone } from '../signed-load.ts'

const [keyFile = '', octets = '5120'] = process.argv.slice(2)
const mailOf = createSignedMails(readFileSync(keyFile, 'utf8'), Number(octets))
/** Signed before the clock runs; a job sends each as often as it takes. */
const mails: string[] = []

process.on('message', (job: SignedJob) => void answer(job))

async function answer(job: SignedJob): Promise<void> {
  try {
    process.send?.(await perform(job))
  } catch (error) {
    process.send?.({ failure: String(error) })
  }
}

async function perform({ port, messages, connections }: SignedJob): Promise<SignedJobDone> {
  for (let n = mails.length; n < Math.min(messages, SENDERS); n += 1) mails.push(await mailOf(n))
  const before = process.cpuUsage()
  const started = performance.now()
  const latencies: number[] = []
  let next = 0
  const sendAll = async (): Promise<void> => {
    const client = await Client.open(port)
    while (next < messages) {
      const number = next % mails.length
      next += 1
      const begun = performance.now()
      await client.send(senderOf(number), mails[number] as string)
      latencies.push(performance.now() - begun)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: connections }, sendAll))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(before)
  return { seconds, processorSeconds: (user + system) / 1e6, latencies }
}

/** One conversation; a command at a time, as `smtp-source` does. */
class Client {
  readonly #socket: Socket
  #text = ''
  #replied: (reply: string) => void = () => {}

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      this.#text += piece
      // The last line of a reply has a space behind its code. RFC 5321 §4.2.1
      if (!/(?:^|\n)[0-9]{3} [^\n]*\n$/.test(this.#text)) return
      const text = this.#text
      this.#text = ''
      this.#replied(text)
    })
  }

  static async open(port: number): Promise<Client> {
    const client = new Client(connect(port, '127.0.0.1'))
    await client.#reply()
    await client.#command('EHLO mx.bench.example')
    return client
  }

  async send(from: string, mail: string): Promise<void> {
    await this.#command(`MAIL FROM:<${from}>`)
    await this.#command('RCPT TO:<someone@example.org>')
    await this.#command('DATA')
    await this.#command(`${mail}.`)
  }

  close(): void {
    this.#socket.end('QUIT\r\n')
  }

  async #command(line: string): Promise<void> {
    const replied = this.#reply()
    this.#socket.write(`${line}\r\n`, 'latin1')
    const reply = await replied
    if (!/^[23]/.test(reply)) throw new Error(`${reply.trim()} to ${line.slice(0, 60)}`)
  }

  #reply(): Promise<string> {
    return new Promise((resolve) => {
      this.#replied = resolve
    })
  }
}

