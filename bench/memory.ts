/** What large messages and rude clients cost: octets of memory, and the patience of others. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { formatMib, quantile } from './figures.ts'
import { ImapClient } from './imap-client.ts'
import { PASSWORD, USER } from './imap-load.ts'
import { numberOptions } from './options.ts'

/** What large messages may take, all together. */
const GATE_OCTETS = 32 * 1_048_576
const LINE = `${'m'.repeat(998)}\r\n`

export async function benchMemory(args: readonly string[]): Promise<void> {
  const options = numberOptions(args, { messages: 10, mib: 50, trim: 1 })
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'postern-bench-'))
  try {
    await (await start(dir, options.trim)).stop()
    const server = await start(dir, options.trim)
    console.log(options.trim === 1 ? 'The C library gives freed memory back at once, so that what is held shows (--trim 0: as it comes)' : 'The C library keeps freed memory as it likes')
    console.log(`start to listening (second start): ${server.startMs.toFixed(0)} ms; RssAnon then ${formatMib(await server.rssAnon())} MiB`)
    try {
      // What code and first connections cost for good is not the messages'.
      await handleOne(server)
      console.log(`after one message each way: RssAnon ${formatMib(await server.rssAnon())} MiB`)
      await measureLarge(server, options.messages, options.mib * 1_048_576)
      await measureRude(server)
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Server {
  readonly smtpPort: number
  readonly imapPort: number
  readonly startMs: number
  /** After a full garbage collection. */
  rssAnon(): Promise<number>
  stop(): Promise<void>
}

/** Runs the built packages without a loader, as users do. */
async function start(dir: string, trim: number): Promise<Server> {
  const started = performance.now()
  const program = `
    const { createMailServer } = await import('postern')
    const server = await createMailServer({ hostname: 'mail.example.org', dataDir: process.argv[1], diskReserve: 0,
      listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 }, imap: { port: 0, allowPlainLogin: true } } },
      domains: { 'example.org': {} }, accounts: { bench: { addresses: ['@example.org'] } } })
    const account = await server.accounts.get('bench')
    console.log(JSON.stringify(await server.listen()))
    await account.setPassword('bench-password')
    process.on('SIGUSR2', () => { gc(); setTimeout(() => { gc(); console.log('collected') }, 100) })
    process.on('SIGTERM', () => void server.close({ drain: 0 }).then(() => process.exit(0)))
    console.log('ready')`
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program, '--', join(dir, 'store')], {
    // Where `postern` is found.
    cwd: new URL('.', import.meta.url).pathname,
    env: { ...process.env, ...(trim === 1 ? { MALLOC_TRIM_THRESHOLD_: '65536', MALLOC_MMAP_THRESHOLD_: '65536' } : {}) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const line = async (): Promise<string> => String((await lines.next()).value)
  const endpoints = JSON.parse(await line()) as readonly { readonly protocol: string; readonly port: number }[]
  const startMs = performance.now() - started
  await line()
  const portOf = (protocol: string): number => endpoints.find((endpoint) => endpoint.protocol === protocol)?.port ?? 0
  return {
    smtpPort: portOf('smtp'),
    imapPort: portOf('imap'),
    startMs,
    async rssAnon() {
      child.kill('SIGUSR2')
      await line()
      return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024
    },
    async stop() {
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function handleOne(server: Server): Promise<void> {
  const sender = await beginSmtp(server.smtpPort)
  await writeLines(sender, 1_048_576)
  await finish(sender, '.\r\n', /250 2\.0\.0/)
  const appender = await beginAppend(server.imapPort, 1_048_576)
  await writeLines(appender, 1_048_576)
  await finish(appender, '\r\n', /b OK/)
  const client = await ImapClient.login(server.imapPort, USER, PASSWORD)
  await client.command('SELECT INBOX')
  await client.command('FETCH 1:* BODY.PEEK[]')
  await client.command('STORE 1:* +FLAGS (\\Deleted)')
  await client.command('EXPUNGE')
  client.close()
}

async function measureLarge(server: Server, count: number, octets: number): Promise<void> {
  const before = await server.rssAnon()
  const report = async (what: string): Promise<void> => {
    const rise = (await server.rssAnon()) - before
    const isHeld = rise <= GATE_OCTETS
    if (!isHeld) process.exitCode = 1
    console.log(`${count} × ${formatMib(octets)} MiB ${what}: RssAnon ${rise < 0 ? '' : '+'}${formatMib(rise)} MiB (at most +32: ${isHeld ? 'HELD' : 'MISSED'})`)
  }

  // Held in flight: all but the end has come when memory is looked at.
  const senders = await Promise.all(Array.from({ length: count }, () => beginSmtp(server.smtpPort)))
  await Promise.all(senders.map((socket) => writeLines(socket, octets)))
  await report('in flight over SMTP')
  await Promise.all(senders.map((socket) => finish(socket, '.\r\n', /250 2\.0\.0/)))

  const appenders = await Promise.all(Array.from({ length: count }, () => beginAppend(server.imapPort, octets)))
  await Promise.all(appenders.map((socket) => writeLines(socket, octets)))
  await report('in flight in APPEND')
  await Promise.all(appenders.map((socket) => finish(socket, '\r\n', /b OK/)))

  // Half read: each reader takes a part and stops.
  const readers = await Promise.all(Array.from({ length: count }, (_, n) => beginFetch(server.imapPort, n + 1)))
  await report('half read in FETCH')
  for (const socket of readers) socket.destroy()
}

/** Others' NOOP and FETCH beside clients that announce huge literals, stop in the middle or never read. */
async function measureRude(server: Server): Promise<void> {
  const client = await ImapClient.login(server.imapPort, USER, PASSWORD)
  await client.command('SELECT INBOX')
  await latencies(client)
  const alone = await latencies(client)
  const before = await server.rssAnon()
  const login = `a LOGIN ${USER} ${PASSWORD}\r\n`
  const rude = [
    `${login}b SEARCH SUBJECT {4294967295+}\r\n`,
    `${login}b APPEND INBOX {104857600}\r\n`,
    `${login}b APPEND INBOX {104857600+}\r\n${LINE.repeat(300)}`,
    ...Array.from({ length: 10 }, () => `${login}b SELECT INBOX\r\nc FETCH 1:* BODY.PEEK[]\r\n`),
    ...Array.from({ length: 10 }, () => `${login}b SELECT INBOX\r\n${'c UID FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n'.repeat(200)}`),
  ].map((text) => {
    const socket = createConnection(server.imapPort, '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write(text)
    return socket
  })
  // Logging in takes the hashing thread a while for so many.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const beside = await latencies(client)
  const rise = (await server.rssAnon()) - before
  console.log(`NOOP and FETCH alone: ${formatLatencies(alone)}; beside ${rude.length} rude clients: ${formatLatencies(beside)}; RssAnon +${formatMib(rise)} MiB for them`)
  for (const socket of rude) socket.destroy()
  client.close()
}

function formatLatencies(taken: readonly number[]): string {
  return `p50 ${quantile(taken, 0.5).toFixed(2)}, p99 ${quantile(taken, 0.99).toFixed(2)} ms`
}

async function latencies(client: ImapClient): Promise<readonly number[]> {
  const taken: number[] = []
  for (let n = 0; n < 500; n += 1) {
    const started = performance.now()
    await client.command(n % 2 === 0 ? 'NOOP' : 'FETCH 1 (FLAGS ENVELOPE)')
    taken.push(performance.now() - started)
  }
  return taken
}

async function beginSmtp(port: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1')
  socket.write('EHLO client.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<x@example.org>\r\nDATA\r\n')
  await heard(socket, /354 /)
  socket.write('Subject: large\r\n\r\n')
  return socket
}

async function beginAppend(port: number, octets: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1')
  const lines = Math.floor(octets / LINE.length) * LINE.length
  socket.write(`a LOGIN ${USER} ${PASSWORD}\r\nb APPEND INBOX {${lines + 18}}\r\n`)
  await heard(socket, /\+ /)
  socket.write('Subject: large\r\n\r\n')
  return socket
}

async function beginFetch(port: number, message: number): Promise<Socket> {
  const socket = createConnection(port, '127.0.0.1')
  socket.write(`a LOGIN ${USER} ${PASSWORD}\r\nb EXAMINE INBOX\r\nc FETCH ${message} BODY.PEEK[]\r\n`)
  let octets = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (piece: Buffer) => {
      octets += piece.length
      if (octets > 20 * 1_048_576) {
        socket.pause()
        resolve()
      }
    })
  })
  return socket
}

async function writeLines(socket: Socket, octets: number): Promise<void> {
  const piece = LINE.repeat(64)
  let left = Math.floor(octets / LINE.length) * LINE.length
  while (left > 0) {
    const part = left >= piece.length ? piece : piece.slice(0, left)
    left -= part.length
    if (!socket.write(part)) await once(socket, 'drain')
  }
}

async function finish(socket: Socket, end: string, answer: RegExp): Promise<void> {
  const answered = heard(socket, answer)
  socket.write(end)
  await answered
  socket.destroy()
}

function heard(socket: Socket, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const onData = (octets: Buffer): void => {
      text = (text + octets.toString('latin1')).slice(-2_000)
      if (!pattern.test(text)) return
      socket.off('data', onData)
      resolve()
    }
    socket.on('data', onData)
    socket.on('close', () => reject(new Error(`Connection over: ${text}`)))
    socket.on('error', () => {})
  })
}
