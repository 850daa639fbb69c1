/**
 * Whatever a sender may take for the end of a message, the server stores what he sent as one message, or nothing: never
 * what stands behind it as another. Threats 1 and 2, over real sockets into the real store; RFC 5321 §2.3.8, §4.1.1.4.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMailServer, type MailServer } from '../../src/index.ts'
import { LineClient } from '../durability/child-server.ts'

let dir: string
let server: MailServer
let port: number
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'postern-smuggling-'))
  server = await createMailServer({
    hostname: 'mail.example.org',
    checkSenders: false,
    dataDir: dir,
    listeners: { local: { addresses: ['127.0.0.1'], smtp: { port: 0 } } },
    domains: { 'example.org': {} },
    accounts: { ada: { addresses: ['ada@example.org'] }, victim: { addresses: ['victim@example.org'] } },
  })
  port = (await server.listen())[0]?.port ?? 0
})
afterAll(async () => {
  await server?.close({ drain: 0 })
  await rm(dir, { recursive: true, force: true })
})

const LINE_ENDS = ['\r\n', '\n', '\r', '\r\r\n', '\n\r'] as const

/** What stands in place of CR LF dot CR LF, and whether the whole is one message then, or broken. */
const variants: readonly { readonly end: string; readonly stored: 0 | 1 }[] = [
  ...LINE_ENDS.flatMap((before) => LINE_ENDS.map((after) => ({ end: `${before}.${after}`, stored: 0 as const }))).filter(({ end }) => end !== '\r\n.\r\n'),
  ...['\n\n.\r\n', '\n\r\n.\r\n', '\n..\n', '\r\n..\n', '\n\0.\r\n'].map((end) => ({ end, stored: 0 as const })),
  // Sound lines, with a dot that is text.
  ...['\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n. \r\n', '\r\n.\t\r\n', '\r\n .\r\n', '\r\n..\r\n', '\x85.\x85', '\v.\v', '\f.\f', '\0.\0', '\u00e2\u0080\u00a8.\u00e2\u0080\u00a8'].map((end) => ({ end, stored: 1 as const })),
]

/** What would be a message of its own. */
const SMUGGLED = 'MAIL FROM:<admin@example.com>\r\nRCPT TO:<victim@example.org>\r\nDATA\r\nSubject: smuggled\r\n\r\nsecond\r\n.\r\nQUIT\r\n'

/** How the octets come. */
const PACES: Readonly<Record<string, (octets: string) => readonly string[]>> = {
  'at once': (octets) => [octets],
  'octet by octet': (octets) => [...octets],
}

async function totalOf(account: string): Promise<number> {
  return (await (await server.accounts.get(account))?.mailboxes())?.reduce((sum, { total }) => sum + total, 0) ?? Number.NaN
}

/** Sends a message with something at its end, what is to be smuggled behind. @returns the codes of all replies to that */
async function attack(end: string, pieces: (octets: string) => readonly string[]): Promise<readonly string[]> {
  const client = await LineClient.connect(port)
  try {
    await openTransaction(client)
    client.send('DATA\r\n')
    expect(await client.reply()).toMatch(/^354/)
    for (const piece of pieces(`Subject: first\r\n\r\none${end}${SMUGGLED}`)) {
      client.send(piece)
      // One piece in each turn, so that they do not come together.
      await new Promise((resolve) => setImmediate(resolve))
    }
    const codes: string[] = []
    for (;;) {
      const reply = await client.reply()
      if (reply === undefined) return codes
      codes.push(reply.slice(0, 3))
    }
  } finally {
    client.destroy()
  }
}

/** Up to RCPT. @returns the lines of the reply to EHLO */
async function openTransaction(client: LineClient): Promise<readonly string[]> {
  await client.reply()
  client.send('EHLO client.example.com\r\n')
  const announced: string[] = []
  do announced.push((await client.line()) ?? '')
  while (announced.at(-1)?.[3] === '-')
  for (const line of ['MAIL FROM:<sender@example.com>', 'RCPT TO:<ada@example.org>']) {
    client.send(`${line}\r\n`)
    expect(await client.reply()).toMatch(/^250/)
  }
  return announced
}

for (const [pace, pieces] of Object.entries(PACES)) {
  describe(pace, () => {
    for (const { end, stored } of variants) {
      it(`${JSON.stringify(end)} stores ${stored === 0 ? 'nothing' : 'one message'}`, async () => {
        const [ada, victim] = [await totalOf('ada'), await totalOf('victim')]
        expect(await attack(end, pieces)).toEqual(stored === 0 ? ['554'] : ['250', '221'])
        expect(await totalOf('ada')).toBe(ada + stored)
        expect(await totalOf('victim')).toBe(victim)
      })
    }

    it('the real end stores both: the count sees what is sent behind', async () => {
      const [ada, victim] = [await totalOf('ada'), await totalOf('victim')]
      expect(await attack('\r\n.\r\n', pieces)).toEqual(['250', '250', '250', '354', '250', '221'])
      expect(await totalOf('ada')).toBe(ada + 1)
      expect(await totalOf('victim')).toBe(victim + 1)
    })
  })
}

// A chunk is as long as it says, whatever is in it. RFC 3030 §2
for (const end of ['\r\n.\r\n', '\n.\n', '\r.\r', '\r\n.\n']) {
  it(`in a chunk ${JSON.stringify(end)} stores one message at most`, async ({ skip }) => {
    const [ada, victim] = [await totalOf('ada'), await totalOf('victim')]
    const client = await LineClient.connect(port)
    try {
      const announced = await openTransaction(client)
      if (!announced.some((line) => /^250[- ]CHUNKING$/.test(line))) return skip('CHUNKING is not announced')
      const octets = `Subject: first\r\n\r\none${end}${SMUGGLED}`
      client.send(`BDAT ${octets.length} LAST\r\n${octets}QUIT\r\n`)
      const code = (await client.reply())?.slice(0, 3)
      while ((await client.reply()) !== undefined);
      expect(await totalOf('ada')).toBe(ada + (code === '250' ? 1 : 0))
      expect(await totalOf('victim')).toBe(victim)
      if (end === '\r\n.\r\n') expect(code).toBe('250')
    } finally {
      client.destroy()
    }
  })
}
