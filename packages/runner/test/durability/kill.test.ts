/**
 * Kills a server with SIGKILL while mail comes in over SMTP and IMAP APPEND, again and again on the same store: what was
 * acknowledged is there exactly once, UIDs ascend and none is given twice. POSTERN_KILL_ROUNDS and POSTERN_SEED set
 * how often and how.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LineClient, startChild, type ChildServer } from './child-server.ts'

const rounds = Number(process.env['POSTERN_KILL_ROUNDS'] ?? 20)
const seed = Number(process.env['POSTERN_SEED'] ?? 20_260_101)

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-kill-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

it(`loses and doubles nothing acknowledged over ${rounds} kills (seed ${seed})`, { timeout: 30_000 + rounds * 15_000 }, async () => {
  const random = createRandom(seed)
  const acknowledged = new Set<string>()
  const everSeen = new Map<number, string>()
  let attempted = 0
  for (let round = 0; round < rounds; round += 1) {
    const server = await startChild(join(dir, 'store'))
    const load = { stopped: false }
    const clients: LineClient[] = []
    const workers = Array.from({ length: 6 }, (_, worker) => {
      const next = (): string => `r${round}w${worker}n${(attempted += 1)}`
      return worker < 4 ? sendBySmtp(server, next, acknowledged, load, clients) : appendByImap(server, next, acknowledged, load, clients)
    })
    await delay(40 + (random() % 260))
    load.stopped = true
    await server.kill('SIGKILL')
    for (const client of clients) client.destroy()
    await Promise.all(workers)

    const survivor = await startChild(join(dir, 'store'))
    try {
      const found = await readAll(survivor)
      checkMailbox(found, acknowledged, everSeen)
    } finally {
      await survivor.kill(random() % 2 === 0 ? 'SIGKILL' : 'SIGTERM')
    }
  }
  expect(acknowledged.size).toBeGreaterThan(rounds)
})

function checkMailbox(found: readonly { readonly uid: number; readonly id: string }[], acknowledged: ReadonlySet<string>, everSeen: Map<number, string>): void {
  const uids = found.map(({ uid }) => uid)
  expect(uids).toEqual([...uids].sort((a, b) => a - b))
  const count = new Map<string, number>()
  for (const { uid, id } of found) {
    count.set(id, (count.get(id) ?? 0) + 1)
    // A UID seen before stands for the same message.
    expect(everSeen.get(uid) ?? id).toBe(id)
    everSeen.set(uid, id)
  }
  const missing = [...acknowledged].filter((id) => !count.has(id))
  const doubled = [...count].filter(([, times]) => times > 1)
  expect({ missing, doubled }).toEqual({ missing: [], doubled: [] })
}

async function sendBySmtp(server: ChildServer, next: () => string, acknowledged: Set<string>, load: { readonly stopped: boolean }, clients: LineClient[]): Promise<void> {
  const client = await LineClient.connect(server.smtpPort).catch(() => undefined)
  if (client === undefined) return
  clients.push(client)
  await client.reply()
  client.send('EHLO client.example.com\r\n')
  await client.reply()
  while (!load.stopped) {
    const id = next()
    client.send('MAIL FROM:<sender@example.com>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n')
    for (let i = 0; i < 3; i += 1) await client.reply()
    client.send(`X-Id: ${id}\r\nSubject: kill\r\n\r\n${'x'.repeat(1_000)}\r\n.\r\n`)
    const reply = await client.reply()
    if (reply === undefined) return
    if (reply.startsWith('250')) acknowledged.add(id)
  }
}

async function appendByImap(server: ChildServer, next: () => string, acknowledged: Set<string>, load: { readonly stopped: boolean }, clients: LineClient[]): Promise<void> {
  const client = await LineClient.connect(server.imapPort).catch(() => undefined)
  if (client === undefined) return
  clients.push(client)
  await client.line()
  client.send('a LOGIN ada@example.org "correct horse battery"\r\n')
  await client.tagged('a')
  while (!load.stopped) {
    const id = next()
    const message = `X-Id: ${id}\r\nSubject: kill\r\n\r\n${'y'.repeat(1_000)}\r\n`
    client.send(`b APPEND INBOX {${message.length}+}\r\n${message}\r\n`)
    const lines = await client.tagged('b')
    if (lines === undefined) return
    if (lines.at(-1)?.startsWith('b OK') === true) acknowledged.add(id)
  }
}

async function readAll(server: ChildServer): Promise<readonly { readonly uid: number; readonly id: string }[]> {
  const client = await LineClient.connect(server.imapPort)
  await client.line()
  client.send('a LOGIN ada@example.org "correct horse battery"\r\n')
  expect((await client.tagged('a'))?.at(-1)).toMatch(/^a OK/)
  client.send('b EXAMINE INBOX\r\n')
  await client.tagged('b')
  client.send('c UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (X-Id)])\r\n')
  const text = ((await client.tagged('c')) ?? []).join('\r\n')
  client.destroy()
  return Array.from(text.matchAll(/\(UID (\d+) [^\r]*\r\nX-Id: (\S+)/g), ([, uid, id]) => ({ uid: Number(uid), id: id as string }))
}

/** xorshift32 */
function createRandom(from: number): () => number {
  let state = from | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
