/** A client that believes every untagged response must end up with the mailbox as it is, whoever changed it meanwhile. */
import type { Engine } from '@postern/core/conversation'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startImapWorld, type ImapWorld } from '../imap-harness.ts'

/** What a client knows of a message. */
interface Known {
  uid: number | undefined
  flags: readonly string[] | undefined
}

/** Keeps a mailbox as untagged responses tell it, and checks that they keep the rules. */
class BelievingClient {
  readonly messages: Known[] = []
  readonly #engine: Engine
  #output = ''
  #woken = false
  #flags: ReadonlySet<string> = new Set()
  #tag = 0
  #mayExpunge = false

  constructor(engine: Engine) {
    this.#engine = engine
    engine.onWake(() => {
      this.#woken = true
    })
    this.#pump()
  }

  /** Gives a command and takes in what comes up to its completion. */
  async give(command: string): Promise<string> {
    this.#tag += 1
    const tag = `t${this.#tag}`
    // RFC 3501 §7.4.1
    this.#mayExpunge = !/^(FETCH|STORE|SEARCH)/.test(command)
    this.#engine.feed(Buffer.from(`${tag} ${command}\r\n`))
    await this.#rest()
    if (command === 'IDLE') {
      expect(this.#takeLines()).toContain('+ idling')
      return 'idling'
    }
    const completion = this.#takeLines().at(-1) as string
    expect(completion.startsWith(`${tag} `)).toBe(true)
    this.#mayExpunge = false
    return completion.slice(tag.length + 1)
  }

  /** Lets an IDLE go on: its timer runs out. */
  async idle(): Promise<void> {
    this.#engine.timeout('updates')
    await this.#rest()
    this.#takeLines()
  }

  async done(): Promise<void> {
    this.#engine.feed(Buffer.from('DONE\r\n'))
    await this.#rest()
    expect(this.#takeLines().at(-1)).toContain('OK IDLE')
  }

  forgetFlags(): void {
    for (const message of this.messages) message.flags = undefined
  }

  #takeLines(): readonly string[] {
    const lines = this.#output.split('\r\n')
    this.#output = lines.pop() as string
    expect(this.#output).toBe('')
    for (const line of lines) this.#take(line)
    return lines
  }

  #take(line: string): void {
    const [, number, what, rest] = /^\* (\d+) (EXISTS|EXPUNGE|FETCH)(.*)$/.exec(line) ?? []
    const n = Number(number)
    if (what === 'EXISTS') {
      expect(n).toBeGreaterThanOrEqual(this.messages.length)
      while (this.messages.length < n) this.messages.push({ uid: undefined, flags: undefined })
    } else if (what === 'EXPUNGE') {
      expect(this.#mayExpunge).toBe(true)
      expect(n).toBeLessThanOrEqual(this.messages.length)
      expect(this.messages.splice(n - 1, 1)).toHaveLength(1)
    } else if (what === 'FETCH') {
      const message = this.messages[n - 1]
      expect(message).toBeDefined()
      if (message === undefined) return
      const uid = /UID (\d+)/.exec(rest ?? '')?.[1]
      if (uid !== undefined) {
        expect(message.uid ?? Number(uid)).toBe(Number(uid))
        message.uid = Number(uid)
      }
      const flags = /FLAGS \(([^)]*)\)/.exec(rest ?? '')?.[1]?.split(' ').filter(Boolean)
      if (flags === undefined) return
      for (const flag of flags) if (flag !== '\\Recent') expect(this.#flags).toContain(flag)
      message.flags = flags.filter((flag) => flag !== '\\Recent').sort()
    }
    const flags = /^\* FLAGS \((.*)\)$/.exec(line)?.[1]
    if (flags !== undefined) this.#flags = new Set(flags.split(' '))
  }

  async #rest(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      this.#pump()
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      quiet = this.#woken ? 0 : quiet + 1
    }
  }

  #pump(): void {
    this.#woken = false
    for (let effect = this.#engine.next(); effect !== undefined; effect = this.#engine.next()) {
      if (effect.kind === 'write') for (const octets of effect.octets) this.#output += Buffer.from(octets).toString('latin1')
    }
  }
}

const COMMANDS = [
  ['NOOP', 'CHECK', 'IDLE', 'EXPUNGE', 'FETCH 1:* (FLAGS)', 'FETCH 1:* (UID FLAGS)', 'UID FETCH 2:* (FLAGS)', 'SEARCH ALL', 'UID SEARCH ALL'],
  ['STORE 1 +FLAGS (\\Flagged)', 'STORE 1:* -FLAGS.SILENT (\\Seen)', 'STORE * FLAGS (mine \\Deleted)', 'UID STORE 1:3 +FLAGS (\\Answered)'],
  ['UID STORE 1:* FLAGS.SILENT (quiet)', 'STORE 2:* +FLAGS (\\Deleted)', 'COPY 1 INBOX', 'COPY 1:* Other', 'UID COPY 2 INBOX', 'MOVE 1 Other'],
  ['UID MOVE 1:* INBOX', 'UID EXPUNGE 1:4', 'CLOSE-AND-SELECT', 'FETCH 1 (BODY[])', 'STATUS INBOX (MESSAGES)'],
].flat()
const ACTS = [
  ['append INBOX 1', 'append INBOX 3 (\\Seen work)', 'flag INBOX 1:2 + (\\Deleted)', 'flag INBOX 3:5 + (other)', 'flag INBOX 1:9 = (\\Draft)'],
  ['flag INBOX 2,4 - (\\Deleted mine)', 'expunge INBOX', 'flag INBOX 4 + (new1)', 'flag INBOX 5 + (new2 $Junk)', 'append Other 1'],
].flat()

type Step = { readonly kind: 'give' | 'act'; readonly words: string }
const steps = fc.array(
  fc.oneof(
    fc.constantFrom(...COMMANDS).map((words): Step => ({ kind: 'give', words })),
    fc.constantFrom(...ACTS).map((words): Step => ({ kind: 'act', words })),
  ),
  { minLength: 1, maxLength: 30 },
)

async function live(world: ImapWorld): Promise<readonly { uid: number; flags: readonly string[] }[]> {
  const other = await startOther(world)
  const client = new BelievingClient(other.engine)
  await client.give('LOGIN ann secret')
  await client.give('EXAMINE INBOX')
  if (client.messages.length > 0) await client.give('FETCH 1:* (UID FLAGS)')
  await client.give('LOGOUT')
  return client.messages.map(({ uid, flags }) => ({ uid: uid as number, flags: flags as readonly string[] }))
}

async function startOther(world: ImapWorld): Promise<ImapWorld> {
  return startImapWorld({ login: async () => world.account })
}

test('a client that believes what it is told knows the mailbox', { timeout: 180_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = await startImapWorld({ given: ['create Other', 'append INBOX 4', 'append INBOX 1 (work)'] })
      const client = new BelievingClient(world.engine)
      await client.give('LOGIN ann secret')
      await client.give('SELECT INBOX')
      let idling = false
      for (const { kind, words } of all) {
        if (kind === 'act') {
          await world.act?.(words)
          if (idling) await client.idle()
          continue
        }
        if (idling) await client.done()
        idling = words === 'IDLE'
        if (words === 'CLOSE-AND-SELECT') {
          await client.give('UNSELECT')
          client.messages.length = 0
          await client.give('SELECT INBOX')
        } else await client.give(words)
        if (words.includes('SILENT')) client.forgetFlags()
      }
      if (idling) await client.done()
      await client.give('NOOP')
      const truth = await live(world)
      expect(client.messages).toHaveLength(truth.length)
      client.messages.forEach(({ uid, flags }, index) => {
        if (uid !== undefined) expect(uid).toBe(truth[index]?.uid)
        if (flags !== undefined) expect(flags).toEqual(truth[index]?.flags)
      })
      if (truth.length > 0) await client.give('FETCH 1:* (UID FLAGS)')
      expect(client.messages).toEqual(truth)
      expect(world.faults).toEqual([])
    }),
    { numRuns: 200 },
  )
})
