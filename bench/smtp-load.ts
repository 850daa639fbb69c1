/** SMTP load from Debian's `smtp-source`: one command for every server, cheap enough not to be what is measured. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'

const PROGRAM = '/usr/sbin/smtp-source'

export const hasSmtpSource = existsSync(PROGRAM)

export interface LoadResult {
  readonly messagesPerSecond: number
  /** Processor seconds of the client over seconds of the run: at 1 the client is what is measured. */
  readonly clientLoad: number
}

/** Sends `messages` of `octets` octets over `connections` connections, one message each connection at a time. */
export async function loadSmtp(port: number, load: { readonly messages: number; readonly connections: number; readonly octets: number; readonly recipient: string }): Promise<LoadResult> {
  const { messages, connections, octets, recipient } = load
  const command = [PROGRAM, '-d', '-s', connections, '-m', messages, '-l', octets, '-f', 'sender@example.com', '-t', recipient, '-M', 'client.example.com', `127.0.0.1:${port}`]
  const child = spawn('bash', ['-c', `TIMEFORMAT='%R %U %S'; time ${command.join(' ')}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  child.stderr.on('data', (text: Buffer) => {
    output += text.toString()
  })
  const code = await new Promise((resolve) => {
    child.on('exit', resolve)
  })
  const times = /([\d.]+) ([\d.]+) ([\d.]+)\s*$/.exec(output)
  if (code !== 0 || times === null) throw new Error(`smtp-source failed (${String(code)}): ${output}`)
  const [seconds, user, system] = times.slice(1).map(Number) as [number, number, number]
  return { messagesPerSecond: messages / seconds, clientLoad: (user + system) / seconds }
}
