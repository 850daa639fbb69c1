import type { Effect } from '@postern/core/conversation'
import { type Logger, silentLogger } from '@postern/core/host'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Reply, SmtpServerEngineOptions, Verdict } from '../../src/server/index.ts'
import { converse, cut, engineWith, Performer, tls } from '../performer.ts'
import { type BackendHabits, createTestAuthenticator, RecordingBackend } from '../recording-backend.ts'

const authenticator = await createTestAuthenticator()

const small = { maxLineOctets: 60, maxMessageOctets: 50, maxDiscardOctets: 60, errorsBeforeDelay: 3, errorsBeforeClose: 9, maxIdleCommands: 6 }

const line = fc.constantFrom(
  'EHLO a.example.com\r\n', 'HELO a.example.com\r\n', 'EHLO\r\n', 'MAIL FROM:<a@example.com>\r\n', 'MAIL FROM:<> SIZE=51\r\n', 'MAIL FROM:<\xc3\xbc@example.com> SMTPUTF8\r\n',
  'RCPT TO:<b@example.org>\r\n', 'RCPT TO:<unknown@example.org>\r\n', 'RCPT TO:<fault@example.org>\r\n', 'DATA\r\n', 'BDAT 6\r\n', 'BDAT 4 LAST\r\n', 'BDAT 0\r\n', 'BDAT 0 LAST\r\n', 'BDAT 51\r\n', 'BDAT x\r\n', 'text\r\n', '..\r\n', '.\r\n', 'RSET\r\n', 'NOOP\r\n',
  'QUIT\r\n', 'VRFY a\r\n', 'XYZZY\r\n', 'STARTTLS\r\n', 'AUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n', 'AUTH LOGIN\r\n', '*\r\n', 'AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\n',
  '\n', '\r', '\0', 'a', 'long long long long long long long long long long long long long long long\r\n',
)
const input = fc.array(line, { maxLength: 40 }).map((lines) => Buffer.from(`EHLO a.example.com\r\n${lines.join('')}`, 'latin1'))
const anything = fc.oneof(input, fc.uint8Array({ maxLength: 300 }))
describe('chunks never matter', () => {
  const settings: readonly (readonly [name: string, habits: BackendHabits, options: Partial<SmtpServerEngineOptions>])[] = [
    ['mx', {}, {}],
    ['mx with a slow host', { slow: true }, {}],
    ['submission under TLS', { authenticator }, { mode: 'submission', connection: { tls } }],
    ['pedantic submission under TLS', { authenticator }, { mode: 'submission', connection: { tls }, pedantic: true }],
    ['mx that serves slowly', { slow: true, reply: { code: 451, enhanced: '4.3.0', lines: ['Junk'], slow: true } }, {}],
  ]
  for (const [name, habits, options] of settings) {
    test(`${name}: the same replies, messages and end however octets are cut; one close`, async () => {
      await fc.assert(
        fc.asyncProperty(anything, fc.array(fc.nat(2000), { maxLength: 6 }), async (octets, cuts) => {
          const whole = await converse([octets], habits, { ...options, limits: small })
          expect(whole.closes).toBe(1)
          expect(await converse(cut(octets, cuts), habits, { ...options, limits: small })).toEqual(whole)
          expect(await converse(Array.from(octets, (octet) => Uint8Array.of(octet)), habits, { ...options, limits: small })).toEqual(whole)
        }),
        { numRuns: name === 'mx' ? 300 : 60 },
      )
    })
  }
})

describe('whatever happens', () => {
  const act = fc.oneof(
    { weight: 8, arbitrary: line.map((text) => ({ kind: 'feed' as const, octets: Buffer.from(text, 'latin1') })) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 100 }).map((octets) => ({ kind: 'feed' as const, octets })) },
    { weight: 1, arbitrary: fc.constantFrom('command', 'login', 'data', 'total', 'idle').map((name) => ({ kind: 'timeout' as const, name })) },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'stop' as const }, { kind: 'end' as const }, { kind: 'break' as const }, { kind: 'turn' as const }) },
  )
  test('nothing is thrown, and there is one close unless the connection broke', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 60 }), fc.boolean(), fc.boolean(), async (acts, slow, submission) => {
        const backend = new RecordingBackend({ slow, ...(submission ? { authenticator } : {}) })
        const engine = engineWith(backend, { mode: submission ? 'submission' : 'mx', tls: 'available', plainAllowed: true, limits: small })
        const performer = new Performer(engine)
        let broken = false
        for (const one of acts) {
          if (performer.closes > 0) break
          if (one.kind === 'feed' && engine.hungry) engine.feed(one.octets.slice())
          if (one.kind === 'timeout') engine.timeout(one.name as 'command')
          if (one.kind === 'stop') engine.stop()
          if (one.kind === 'end') engine.end()
          if (one.kind === 'turn') await performer.turn()
          if (one.kind === 'break') {
            engine.end(new Error('reset'))
            broken = true
          }
          performer.pump()
        }
        await performer.end()
        if (!broken) expect(performer.closes).toBe(1)
        expect(engine.hungry).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('no memory grows with what a peer sends', () => {
  test('pipelined commands are answered in writes of bounded size', () => {
    const performer = new Performer(engineWith(new RecordingBackend(), { limits: { maxIdleCommands: 1e9 } }))
    performer.feed('EHLO a.example.com\r\n'.repeat(3000))
    const lengths = performer.effects.map((effect) => (effect.kind === 'write' ? Buffer.concat(effect.octets).length : 0))
    expect(lengths.reduce((sum, length) => sum + length)).toBeGreaterThan(300_000)
    expect(Math.max(...lengths)).toBeLessThan(17_000)
  })

  test('commands that answer at once leave in one write', () => {
    const performer = new Performer(engineWith(new RecordingBackend()))
    const before = performer.effects.length
    performer.feed('EHLO a.example.com\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n')
    expect(performer.effects.slice(before).filter(({ kind }) => kind === 'write')).toHaveLength(1)
  })
})

describe('STARTTLS', () => {
  test('what is sent behind it in the clear ends the conversation, unread', () => {
    const performer = new Performer(engineWith(new RecordingBackend(), { tls: 'available' }))
    performer.feed('EHLO a.example.com\r\nSTARTTLS\r\nMAIL FROM:<evil@example.com>\r\n')
    expect(performer.effects.some(({ kind }) => kind === 'upgrade')).toBe(false)
    expect(performer.text).toMatch(/554 5\.5\.0 STARTTLS must be the last command before TLS \(id1\)\r\n<\{"kind":"close","how":"flushed","reason":"protocol"\}>$/)
  })

  test('a conversation that is to end while TLS starts says nothing in between', () => {
    const engine = engineWith(new RecordingBackend({ authenticator }), { tls: 'available', mode: 'submission' })
    const effects: Effect[] = []
    const pump = (): void => {
      for (let effect = engine.next(); effect !== undefined; effect = engine.next()) effects.push(effect)
    }
    pump()
    engine.feed(Buffer.from('EHLO a.example.com\r\nSTARTTLS\r\n'))
    pump()
    expect(engine.hungry).toBe(false)
    engine.timeout('login')
    pump()
    expect(effects.slice(-2)).toEqual([{ kind: 'upgrade', to: 'tls' }, { kind: 'close', how: 'now', reason: 'timeout' }])
  })
})

describe('the greeting', () => {
  test('a peer that talks before it is refused', async () => {
    let decide: (verdict: Verdict) => void = () => {}
    const performer = new Performer(engineWith(new RecordingBackend({ connect: () => new Promise((resolve) => (decide = resolve)) })))
    expect(performer.engine.hungry).toBe(true)
    performer.feed('EHLO a.example.com\r\n')
    expect(performer.engine.hungry).toBe(false)
    decide({ kind: 'accept' })
    await performer.turn()
    expect(performer.text).toBe('554 5.5.0 Wait for the greeting (id1)\r\n<{"kind":"close","how":"flushed","reason":"protocol"}>')
  })

  test('a host that can not decide sends the peer away for now', () => {
    const performer = new Performer(engineWith(new RecordingBackend({ connect: () => { throw new Error('broken') } })))
    expect(performer.text).toBe('421 4.3.0 Not now, try again later (id1)\r\n<{"kind":"close","how":"flushed","reason":"limit"}>')
  })
})

describe('a message whose conversation is over', () => {
  const commands = ['DATA\r\n', 'BDAT 5\r\n', 'BDAT 5 LAST\r\n']
  for (const command of commands) {
    test(`is given up when ${command.trim()} is answered too late`, async () => {
      const backend = new RecordingBackend({ slow: true })
      const engine = engineWith(backend)
      const performer = new Performer(engine)
      performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\n')
      await performer.untilHungry()
      performer.feed(command)
      expect(backend.asked).toBe(1)
      engine.end(new Error('reset'))
      await performer.turn()
      expect(backend.aborted).toBe(1)
    })
  }

  test('is given up between chunks when the connection breaks', async () => {
    const backend = new RecordingBackend()
    const engine = engineWith(backend)
    const performer = new Performer(engine)
    performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nBDAT 3\r\na\r\n')
    await performer.untilHungry()
    expect(backend.aborted).toBe(0)
    engine.end(new Error('reset'))
    expect(backend.aborted).toBe(1)
  })
})

describe('slow service', () => {
  test('sends octets one by one for 25 seconds, then the rest: half a minute for a reply', () => {
    const backend = new RecordingBackend({ mailFrom: { kind: 'refuse', slow: true, reply: { code: 550, enhanced: '5.7.1', lines: ['x'.repeat(100)] } } })
    const performer = new Performer(engineWith(backend))
    performer.feed('EHLO a.example.com\r\n')
    const before = performer.effects.length
    performer.feed('MAIL FROM:<>\r\n')
    const effects = performer.effects.slice(before).filter(({ kind }) => kind !== 'timer')
    const lengths = effects.flatMap((effect) => (effect.kind === 'write' ? [Buffer.concat(effect.octets).length] : []))
    expect(lengths).toEqual([...Array.from({ length: 25 }, () => 1), 118 - 25])
    expect(effects.filter(({ kind }) => kind === 'pause')).toHaveLength(26)
    expect(effects[0]).toEqual({ kind: 'pause', ms: 1000 })
  })

  test('is no reason to end a conversation: while a reply leaves slowly the time for the next command does not run', () => {
    const backend = new RecordingBackend({ mailFrom: { kind: 'refuse', slow: true, reply: { code: 550, enhanced: '5.7.1', lines: ['No'] } } })
    const performer = new Performer(engineWith(backend))
    performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\n' + 'NOOP\r\n'.repeat(20))
    let isRunning = false
    for (const effect of performer.effects) {
      if (effect.kind === 'timer' && effect.name === 'command') isRunning = effect.ms !== undefined
      if (effect.kind === 'pause') expect(isRunning).toBe(false)
    }
    expect(performer.effects.at(-1)).toEqual({ kind: 'timer', name: 'command', ms: 300_000 })
  })
})

describe('a host that breaks', () => {
  // Threat 97: whatever a host throws costs one command, never the process.
  const hooks: readonly (readonly [hook: keyof RecordingBackend, reply: RegExp])[] = [
    ['mailFrom', /451 4\.3\.0 .*\r\n503 5\.5\.1 .*\r\n503 5\.5\.1 .*\r\n221 2\.0\.0 Bye\r\n/],
    ['rcptTo', /250 2\.1\.0 .*\r\n451 4\.3\.0 .*\r\n503 5\.5\.1 .*\r\n221 2\.0\.0 Bye\r\n/],
    ['message', /250 2\.1\.5 .*\r\n451 4\.3\.0 .*\r\n221 2\.0\.0 Bye\r\n/],
    ['loggedIn', /451 4\.3\.0 .*\r\n250 2\.1\.0 .*\r\n250 2\.1\.5 .*\r\n354 .*\r\n$/],
  ]
  const octets = Buffer.from(
    'EHLO a.example.com\r\nAUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\nMAIL FROM:<mjl@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nQUIT\r\n',
  )
  for (const [hook, reply] of hooks) {
    for (const how of ['throws', 'rejects', 'answers nonsense']) {
      if (hook === 'loggedIn' && how !== 'throws') continue
      test(`${hook} ${how}`, async () => {
        const backend = new RecordingBackend({ authenticator })
        Object.defineProperty(backend, hook, {
          value: () => {
            if (how === 'throws') throw new Error('broken')
            return how === 'rejects' ? Promise.reject(new Error('broken')) : null
          },
        })
        const performer = new Performer(engineWith(backend, { mode: 'submission', connection: { tls } }))
        performer.feed(octets)
        await performer.end()
        expect(performer.text.replaceAll(/<\{.*?\}>/g, '')).toMatch(reply)
        expect(performer.closes).toBe(1)
      })
    }
  }

  const destinations: readonly (readonly [how: string, message: () => unknown])[] = [
    ['throws', () => { throw new Error('broken') }],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['answers nonsense', () => null],
    ['promises nonsense', () => Promise.resolve(null)],
    ['refuses without a reply', () => Promise.resolve({ kind: 'refuse' })],
  ]
  for (const [how, message] of destinations) {
    test(`message ${how}: the whole of a message in chunks is refused, and what follows is a command`, async () => {
      const backend = new RecordingBackend()
      Object.defineProperty(backend, 'message', { value: message })
      const performer = new Performer(engineWith(backend))
      performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\nQUIT\r\n')
      await performer.end()
      expect(performer.text).toMatch(/250 2\.1\.5 .*\r\n451 4\.3\.0 .*\r\n451 4\.3\.0 .*\r\n250 2\.0\.0 OK\r\n221 2\.0\.0 Bye\r\n/)
    })
  }

  for (const reply of [undefined, {}, { code: 'x' }]) {
    test(`a refusal with ${JSON.stringify(reply) ?? 'no'} reply is a fault`, async () => {
      const backend = new RecordingBackend({ slow: true, mailFrom: { kind: 'refuse', reply: reply as unknown as Reply } })
      const performer = new Performer(engineWith(backend))
      performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\nQUIT\r\n')
      await performer.end()
      expect(performer.text).toMatch(/451 4\.3\.0 .*\r\n221 2\.0\.0 Bye\r\n/)
    })
  }

  test('a logger that throws ends its conversation, by the driver', async () => {
    const logger: Logger = { ...silentLogger, debug: (fields) => { if ('verb' in fields && fields.verb === 'MAIL') throw new Error('disk full') } }
    const engine = engineWith(new RecordingBackend({ slow: true }), { logger })
    while (engine.next() !== undefined);
    engine.feed(Buffer.from('EHLO a.example.com\r\nMAIL FROM:<>\r\n'))
    while (engine.next() !== undefined);
    await new Promise<void>((resolve) => engine.onWake(resolve))
    expect(() => engine.next()).toThrow('disk full')
  })

  test('a reply that is none is a fault', async () => {
    const backend = new RecordingBackend()
    backend.message = () => ({ kind: 'sink', sink: { write() {}, abort() {}, end: () => Promise.resolve(undefined as unknown as Reply) } })
    const performer = new Performer(engineWith(backend))
    performer.feed('EHLO a.example.com\r\nMAIL FROM:<>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.\r\nQUIT\r\n')
    await performer.end()
    expect(performer.text).toMatch(/354 .*\r\n451 4\.3\.0 .*\r\n221 2\.0\.0 Bye\r\n/)
  })
})

describe('the log', () => {
  test('has faults with their cause, and no secret and nothing a peer made up', async () => {
    const logged: string[] = []
    const keep = (fields: object, text?: string): void => {
      logged.push(JSON.stringify({ ...fields, err: String((fields as { err?: unknown }).err), text }))
    }
    const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => logger }
    const octets = Buffer.from(
      'EHLO a.example.com\r\nAUTH PLAIN AG1qbEBleGFtcGxlLm9yZwBzZWNyZXQ=\r\nSECRET-VERB\r\nMAIL FROM:<mjl@example.org>\r\nRCPT TO:<fault@example.org>\r\nQUIT\r\n',
    )
    await converse([octets], { authenticator }, { mode: 'submission', connection: { tls }, logger })
    const text = logged.join('\n')
    expect(text).toContain('Error: Directory is broken')
    expect(text).not.toContain('AG1qb')
    expect(text.toLowerCase()).not.toContain('secret')
  })
})
