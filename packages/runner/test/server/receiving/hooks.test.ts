/** Hooks of the host application: what each may decide, in which order, for how long, and what their failures do. */
import { describe, expect, it } from 'vitest'
import type { Decision, HookPolicy, Hooks, MailEvents } from '../../../src/index.ts'
import { createReceivingServer, letter, SENDER_IP, type ReceivingServer } from './receiving-server.ts'
import { SmtpClient } from './smtp-client.ts'

type Step = 'connect' | 'mailFrom' | 'rcptTo' | 'message' | 'deliver'
const STEPS: readonly Step[] = ['connect', 'mailFrom', 'rcptTo', 'message', 'deliver']

/** Decides so the first time at one step, and nothing from then on. */
function once(step: Step, decide: () => unknown, policy: HookPolicy = {}): Hooks {
  let asked = 0
  return { name: 'test', [step]: { ...policy, run: () => ((asked += 1) === 1 ? decide() : undefined) } } as Hooks
}

function hooked(hooks: Hooks | readonly Hooks[]): Promise<ReceivingServer> {
  return createReceivingServer({}, { hooks })
}

/** All replies to one message up to the first that is no success, and whether the server closed after it. */
async function deliver(running: ReceivingServer, over: { readonly from?: string; readonly to?: string } = {}): Promise<{ readonly at: string; readonly reply: string; readonly closed: boolean }> {
  const { from = 'sender@example.com', to = 'ada@example.org' } = over
  const client = SmtpClient.over(running.server, SENDER_IP)
  let [at, reply] = ['connect', await client.reply()]
  for (const [name, line] of [
    ['EHLO', 'EHLO mx.example.com'],
    ['mailFrom', `MAIL FROM:<${from}>`],
    ['rcptTo', `RCPT TO:<${to}>`],
    ['DATA', 'DATA'],
    ['message', `${letter('hi', { from })}.`],
  ] as const) {
    if (reply?.startsWith('2') !== true && reply?.startsWith('3') !== true) break
    ;[at, reply] = [name, await client.command(line)]
  }
  client.write('NOOP\r\n')
  const closed = (await client.reply()) === undefined
  client.destroy()
  await client.served
  return { at, reply: reply ?? '', closed }
}

function events<E extends 'rejected' | 'error'>(running: ReceivingServer, event: E): MailEvents[E][] {
  const told: MailEvents[E][] = []
  running.server.on(event, (each) => told.push(each))
  return told
}

describe('a refusal', () => {
  const REFUSALS: readonly (readonly [decision: Decision, reply: string, closes: boolean])[] = [
    [{ action: 'reject' }, '550 5.7.1 Refused by policy', false],
    [{ action: 'reject', code: 554, enhanced: '5.7.7', text: 'Not with us' }, '554 5.7.7 Not with us', false],
    [{ action: 'tempfail' }, '451 4.7.1 Not now, try again later', false],
    [{ action: 'tempfail', code: 450, enhanced: '4.2.0', text: 'Two\r\nlines' }, '450 4.2.0 Two lines', false],
    [{ action: 'disconnect' }, '421 4.7.0 Closing', true],
  ]
  it.each(STEPS.flatMap((step) => REFUSALS.map((refusal) => [step, ...refusal] as const)))('at %s: %j', async (step, decision, words, closes) => {
    await using running = await hooked(once(step, () => decision))
    const told = events(running, 'rejected')
    const { at, reply, closed } = await deliver(running)
    expect(at).toBe(step === 'deliver' ? 'message' : step)
    expect(reply).toContain(words)
    expect(closed).toBe(closes || step === 'connect')
    expect(told.map(({ reason, reply: { code } }) => [reason, code])).toEqual([['hook', Number(words.slice(0, 3))]])
    expect(told[0]?.envelope).toEqual({ from: step === 'connect' ? null : 'sender@example.com', to: step === 'connect' || step === 'mailFrom' ? [] : ['ada@example.org'] })
    expect(await running.stored()).toEqual([])
    expect((await deliver(running)).reply, 'the next').toMatch(/^250 2\.0\.0 /)
  })
})

describe('a hook that fails', () => {
  const broken: readonly (readonly [what: string, decide: () => unknown])[] = [
    ['throws', () => { throw new Error('broken') }],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['decides nothing there is', () => ({ action: 'perhaps' })],
    ['answers a word', () => 'reject'],
    ['rejects with a code of success', () => ({ action: 'reject', code: 250 })],
    ['fails for now with a code for good', () => ({ action: 'tempfail', code: 550 })],
    ['mixes up its codes', () => ({ action: 'reject', code: 550, enhanced: '2.0.0' })],
  ]
  it.each(STEPS.flatMap((step) => broken.map(([what, decide]) => [step, what, decide] as const)))('at %s: %s, the sender comes back', async (step, _, decide) => {
    await using running = await hooked(once(step, decide))
    const told = events(running, 'error')
    const { at, reply } = await deliver(running)
    expect([at, reply.slice(0, 9)]).toEqual([step === 'deliver' ? 'message' : step, '451 4.7.1'])
    expect(told.map(({ where }) => where)).toEqual([`hook test.${step}`])
    expect(await running.stored()).toEqual([])
    expect((await deliver(running)).reply, 'the next').toMatch(/^250 2\.0\.0 /)
  })

  it.each([
    ['reject', /^550 5\.7\.1 /, []],
    ['continue', /^250 /, ['ada INBOX 1']],
    ['tempfail', /^451 4\.7\.1 /, []],
  ] as const)('by its rule: %s', async (onError, reply, stored) => {
    await using running = await hooked(once('message', () => Promise.reject(new Error('broken')), { onError }))
    expect((await deliver(running)).reply).toMatch(reply)
    expect(await running.stored()).toEqual(stored)
  })

  it.each([
    [{ timeout: 500 }, /^451 4\.7\.1 /],
    [{ timeout: 500, onTimeout: 'continue', onError: 'reject' }, /^250 /],
    [{ timeout: 500, onError: 'reject' }, /^550 5\.7\.1 /],
  ] as const)('by taking too long: %j', async (policy, expected) => {
    let aborted: unknown
    const slow: Hooks = { deliver: { ...policy, run: ({ signal }) => new Promise<void>(() => signal.addEventListener('abort', () => (aborted = signal.reason))) } }
    await using running = await hooked(slow)
    const replying = deliver(running)
    const settle = async (): Promise<void> => {
      for (let turns = 0; turns < 200; turns += 1) await new Promise((resolve) => setImmediate(resolve))
    }
    await settle()
    await running.clock.advance(499)
    expect(aborted).toBeUndefined()
    await running.clock.advance(1)
    expect((await replying).reply).toMatch(expected)
    expect(String(aborted)).toContain('took longer than 500 ms')
  })

  it('at a step where there is no such decision', async () => {
    await using running = await hooked(once('message', () => ({ action: 'file', mailbox: 'Elsewhere' })))
    expect((await deliver(running)).reply).toMatch(/^451 4\.7\.1 /)
  })
})

describe('hooks are asked', () => {
  it('in their order, until one decides', async () => {
    const asked: string[] = []
    const note = (name: string, decision?: Decision, order?: number): Hooks => ({ mailFrom: { ...(order === undefined ? {} : { order }), run: () => { asked.push(name); return decision } } })
    await using running = await hooked([note('third', { action: 'accept' }), note('second', undefined, -1), note('first', undefined, -2), note('never', { action: 'reject' })])
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(asked).toEqual(['first', 'second', 'third'])
  })

  it('with all that is known, and with notes of their own', async () => {
    const seen: unknown[] = []
    await using running = await hooked({
      connect({ notes, remoteAddress, helo, protocol }) {
        notes.set('began', true)
        seen.push([remoteAddress, helo, protocol])
      },
      mailFrom: ({ from, helo }) => void seen.push([from, helo]),
      rcptTo: ({ to, known }) => void seen.push([to, known]),
      async message({ envelope, message, analysis, notes }) {
        const octets: Uint8Array[] = []
        for await (const piece of message.open()) octets.push(piece)
        seen.push([envelope, message.sizeOctets === Buffer.concat(octets).length, message.headers().map(([name]) => name), analysis.spf, analysis.dmarc, notes.get('began')])
      },
      deliver: ({ account, mailbox, reason, signals }) => void seen.push([account, mailbox, reason, signals.some(({ name }) => name === 'dmarc')]),
    })
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(seen).toEqual([
      [SENDER_IP, undefined, 'smtp'],
      ['sender@example.com', 'mx.example.com'],
      ['ada@example.org', true],
      [{ from: 'sender@example.com', to: ['ada@example.org'] }, true, ['From', 'To', 'Subject', 'Message-ID'], 'pass', 'pass', true],
      ['ada', 'INBOX', 'no-bad-signals', true],
    ])
  })
})

describe('a hook that accepts', () => {
  it('a sender: his domain is not looked up', async () => {
    await using running = await hooked({ mailFrom: () => ({ action: 'accept' }), message: () => ({ action: 'accept' }) })
    expect((await deliver(running, { from: 'sender@nowhere.example' })).reply).toMatch(/^250 2\.0\.0 /)
    expect(running.dns.asked).not.toContain('MX nowhere.example')
  })

  it('a recipient: only one there is', async () => {
    await using running = await hooked({ rcptTo: () => ({ action: 'accept' }) })
    expect((await deliver(running, { to: 'nobody@example.org' })).reply).toMatch(/^550 5\.1\.1 /)
    expect((await deliver(running, { to: 'user@other.example' })).reply).toMatch(/^550 5\.7\.1 /)
  })

  it('a second recipient: whatever SPF says', async () => {
    await using running = await hooked({ rcptTo: () => ({ action: 'accept' }) })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    expect(await client.send(letter('hi', { from: 'x@nospf.example' }), { from: 'x@nospf.example', to: ['ada@example.org', 'bob@example.org'] })).toMatch(/^250 /)
    expect(await running.stored()).toEqual(['ada INBOX 1', 'bob INBOX 1'])
    await client.quit()
  })

  it('a message: against DMARC', async () => {
    await using running = await hooked(once('message', () => ({ action: 'accept' })))
    const client = await SmtpClient.over(running.server, '203.0.113.1').greet()
    const received = running.server.once('received')
    expect(await client.send(letter('forged'))).toMatch(/^250 /)
    expect((await received).reason).toBe('trusted')
    expect((await running.hurry(client.send(letter('forged too')))).value).toMatch(/^550 5\.7\.26 /)
    client.destroy()
  })
})

describe('a hook that takes a message away', () => {
  it.each(['message', 'deliver'] as const)('at %s: the sender hears that it was taken', async (step) => {
    await using running = await hooked(once(step, () => ({ action: 'discard' })))
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(await running.stored()).toEqual([])
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(await running.stored()).toEqual(['ada INBOX 1'])
  })

  it('for one account leaves it to the other', async () => {
    await using running = await hooked({ deliver: ({ account }) => (account === 'ada' ? { action: 'discard' } : undefined) })
    const client = await SmtpClient.over(running.server, SENDER_IP).greet()
    expect(await client.send(letter('hi'), { to: ['ada@example.org', 'bob@example.org'] })).toMatch(/^250 /)
    expect(await running.stored()).toEqual(['bob INBOX 1'])
    await client.quit()
  })
})

describe('a hook that files', () => {
  it('into a mailbox that is made, with flags', async () => {
    await using running = await hooked({ deliver: () => ({ action: 'file', mailbox: 'Invoices', flags: ['\\Flagged', 'todo'] }) })
    const received = running.server.once('received')
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(await received).toMatchObject({ account: 'ada', mailbox: 'Invoices', uid: 1 })
    expect(await running.stored()).toEqual(['ada Invoices 1'])
  })

  it('into one of no good name: then the inbox', async () => {
    await using running = await hooked({ deliver: () => ({ action: 'file', mailbox: 'a//b\u0000' }) })
    expect((await deliver(running)).reply).toMatch(/^250 2\.0\.0 /)
    expect(await running.stored()).toEqual(['ada INBOX 1'])
  })
})
