import { duplexPair, type Duplex } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { type ConversationControl, type ConversationEnd, drive, type Effect, type Engine, type TimerName } from '../../src/conversation/index.ts'
import type { Clock, Timer, TlsInfo } from '../../src/host/index.ts'

/** Stands still until told to go on. */
class TestClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly due: number; readonly fire: () => void }>()

  get timerCount(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  timer(ms: number, fire: () => void): Timer {
    const timer = { due: this.#now + ms, fire }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  advance(ms: number): void {
    this.#now += ms
    const due = Array.from(this.#timers).filter((timer) => timer.due <= this.#now)
    for (const timer of due) if (this.#timers.delete(timer)) timer.fire()
  }
}

/** An engine that does as it is told and writes down what is done to it. */
class ScriptedEngine implements Engine {
  hungry = true
  readonly effects: Effect[] = []
  readonly calls: string[] = []
  /** What to do with octets. */
  onFeed: (text: string) => void = () => {}
  isOver = false
  #wake: () => void = () => {}

  feed(octets: Uint8Array): void {
    this.#called('feed')
    this.onFeed(Buffer.from(octets).toString())
  }
  end(error?: Error): void {
    this.#called(error === undefined ? 'end' : 'end with error')
  }
  next(): Effect | undefined {
    if (this.isOver) throw new Error('Called after close')
    const effect = this.effects.shift()
    if (effect?.kind === 'close') this.isOver = true
    return effect
  }
  onWake(wake: () => void): void {
    this.#wake = wake
  }
  timeout(name: TimerName): void {
    this.#called(`timeout ${name}`)
  }
  upgraded(tls: TlsInfo): void {
    this.#called(`upgraded ${tls.protocol}`)
  }
  stop(): void {
    this.#called('stop')
  }
  /** Queues effects and wakes the driver. */
  say(...effects: readonly Effect[]): void {
    this.effects.push(...effects)
    this.#wake()
  }
  #called(call: string): void {
    if (this.isOver) throw new Error(`${call} after close`)
    this.calls.push(call)
  }
}

const write = (text: string): Effect => ({ kind: 'write', octets: [Buffer.from(text)] })
const close = (how: 'flushed' | 'now' = 'flushed'): Effect => ({ kind: 'close', how, reason: 'quit' })

interface Scene {
  readonly engine: ScriptedEngine
  readonly clock: TestClock
  readonly peer: Duplex
  readonly ours: Duplex
  readonly ended: Promise<ConversationEnd>
  readonly control: ConversationControl
  /** All the peer has read. */
  heard(): string
}

function scene(options: { readonly effects?: readonly Effect[]; readonly reads?: boolean; readonly writeTimeoutMs?: number; readonly upgrade?: boolean } = {}): Scene {
  const [ours, peer] = duplexPair()
  const engine = new ScriptedEngine()
  engine.effects.push(...(options.effects ?? []))
  const clock = new TestClock()
  let text = ''
  peer.on('error', () => {})
  if (options.reads !== false) peer.on('data', (octets: Buffer) => (text += octets.toString()))
  let control: ConversationControl | undefined
  const tls: TlsInfo = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }
  const ended = drive(engine, ours, {
    clock,
    onStart: (started) => (control = started),
    ...(options.writeTimeoutMs === undefined ? {} : { writeTimeoutMs: options.writeTimeoutMs }),
    ...(options.upgrade === true ? { upgrade: (stream) => Promise.resolve({ stream, tls }) } : {}),
  })
  if (control === undefined) throw new Error('Expected onStart')
  return { engine, clock, peer, ours, ended, control, heard: () => text }
}

/** Lets streams pass on what they hold. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe('drive', () => {
  test('writes what the engine says, feeds what the peer says, and ends when told', async () => {
    const { engine, peer, ended, heard } = scene({ effects: [write('hello\r\n')] })
    engine.onFeed = (text) => engine.effects.push(write(`you said ${text}`), close())
    await settle()
    expect(heard()).toBe('hello\r\n')
    peer.end('QUIT\r\n')
    expect(await ended).toEqual({ reason: 'quit', octetsIn: 6, octetsOut: 22 })
    expect(heard()).toBe('hello\r\nyou said QUIT\r\n')
  })

  test('several effects leave in one piece', async () => {
    const { engine, peer } = scene()
    const pieces: string[] = []
    peer.on('data', (octets: Buffer) => pieces.push(octets.toString()))
    engine.say(write('a'), { kind: 'timer', name: 'idle', ms: 5 }, write('b'), write('c'))
    await settle()
    expect(pieces.join('')).toBe('abc')
  })

  test('a peer that does not close is given time to read, and no more', async () => {
    const { engine, clock, ended, peer } = scene()
    engine.say(write('bye'), close())
    await settle()
    peer.write('still talking')
    await settle()
    expect(engine.calls).toEqual([])
    clock.advance(2_000)
    expect(await ended).toMatchObject({ reason: 'quit' })
    expect(clock.timerCount).toBe(0)
  })

  test('a peer that sends on and on is not listened to for ever', async () => {
    const { engine, ended, peer } = scene()
    engine.say(write('bye'), close())
    await settle()
    peer.write(Buffer.alloc(2_000_000))
    expect(await ended).toMatchObject({ reason: 'quit' })
  })

  test('close now does not wait', async () => {
    const { engine, ended, ours } = scene()
    engine.say(close('now'))
    expect(await ended).toMatchObject({ reason: 'quit' })
    expect(ours.destroyed).toBe(true)
  })

  test('nothing is read while the engine is not hungry', async () => {
    const { engine, peer } = scene()
    engine.hungry = false
    engine.say(write(''))
    peer.write('one')
    await settle()
    expect(engine.calls).toEqual([])
    engine.hungry = true
    engine.say(write(''))
    await settle()
    expect(engine.calls).toEqual(['feed'])
  })

  test('a pause holds effects and reading back', async () => {
    const { engine, peer, clock, heard } = scene({ effects: [write('a'), { kind: 'pause', ms: 1000 }, write('b')] })
    peer.write('x')
    await settle()
    expect(heard()).toBe('a')
    expect(engine.calls).toEqual([])
    clock.advance(999)
    await settle()
    expect(heard()).toBe('a')
    clock.advance(1)
    await settle()
    expect(heard()).toBe('ab')
    expect(engine.calls).toEqual(['feed'])
  })

  test('a conversation that ends in a pause leaves no timer', async () => {
    const { control, clock, ended } = scene({ effects: [{ kind: 'timer', name: 'command', ms: 5 }, { kind: 'pause', ms: 1000 }] })
    control.destroy()
    expect(await ended).toMatchObject({ reason: 'shutdown' })
    expect(clock.timerCount).toBe(0)
  })

  test('timers run out, are set anew and taken back', async () => {
    const { engine, clock } = scene({ effects: [{ kind: 'timer', name: 'command', ms: 100 }, { kind: 'timer', name: 'idle', ms: 50 }] })
    engine.say({ kind: 'timer', name: 'idle', ms: undefined })
    clock.advance(60)
    engine.say({ kind: 'timer', name: 'command', ms: 100 })
    clock.advance(60)
    expect(engine.calls).toEqual([])
    clock.advance(40)
    expect(engine.calls).toEqual(['timeout command'])
  })

  test('a peer that does not read stops the engine, holding what fits the stream', async () => {
    const { engine, peer, clock } = scene({ reads: false })
    const given: number[] = []
    const next = engine.next.bind(engine)
    engine.next = () => {
      if (engine.isOver || engine.effects.length > 0) return next()
      if (given.length >= 1000) return undefined
      given.push(8192)
      return write('x'.repeat(8192))
    }
    engine.say()
    await settle()
    expect(given.length).toBeLessThan(12)
    peer.resume()
    while (given.length < 1000) await settle()
    expect(clock.timerCount).toBe(0)
  })

  test('a peer that never reads is dropped', async () => {
    const { engine, clock, ended } = scene({ reads: false, writeTimeoutMs: 1000 })
    engine.say(write('x'.repeat(200_000)))
    await settle()
    clock.advance(1000)
    expect(await ended).toMatchObject({ reason: 'timeout' })
    expect(engine.calls).toEqual(['end with error'])
  })

  test('a peer that closes its side can still be answered', async () => {
    const { engine, peer, ended, heard } = scene()
    peer.end('last words')
    await settle()
    expect(engine.calls).toEqual(['feed', 'end'])
    engine.say(write('answer'), close())
    await ended
    expect(heard()).toBe('answer')
  })

  test('a reset is told to the engine, once, and to nobody else', async () => {
    const { engine, ours, ended } = scene()
    const error = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
    ours.destroy(error)
    expect(await ended).toMatchObject({ reason: 'reset', error })
    expect(engine.calls).toEqual(['end with error'])
    ours.emit('error', error)
  })

  test('a reset after the last reply changes nothing', async () => {
    const { engine, ours, ended } = scene()
    engine.say(write('bye'), close())
    await settle()
    ours.destroy(new Error('read ECONNRESET'))
    expect(await ended).toEqual({ reason: 'quit', octetsIn: 0, octetsOut: 3 })
  })

  test('a stream that is gone already ends at once', async () => {
    const [ours] = duplexPair()
    ours.destroy()
    await settle()
    const engine = new ScriptedEngine()
    expect(await drive(engine, ours, { clock: new TestClock() })).toMatchObject({ reason: 'reset' })
    expect(engine.calls).toEqual(['end with error'])
  })

  const faults: readonly (readonly [name: string, harm: (engine: ScriptedEngine) => void])[] = [
    ['next', (engine) => (engine.next = () => { throw new Error('broken') })],
    ['feed', (engine) => (engine.feed = () => { throw new Error('broken') })],
    ['feed, and end as well', (engine) => (engine.feed = engine.end = () => { throw new Error('broken') })],
  ]
  for (const [name, harm] of faults) {
    test(`a fault in ${name} ends the conversation and nothing else`, async () => {
      const { engine, peer, ended } = scene()
      harm(engine)
      peer.write('x')
      expect(await ended).toMatchObject({ reason: 'fault', error: new Error('broken') })
    })
  }

  test('stop asks the engine', async () => {
    const { engine, control, ended } = scene()
    control.stop()
    expect(engine.calls).toEqual(['stop'])
    engine.say(close('now'))
    await ended
    control.stop()
    control.destroy()
    expect(engine.calls).toEqual(['stop'])
  })

  test('an upgrade holds reading back until it is done', async () => {
    const { engine, peer, heard } = scene({ upgrade: true })
    engine.say(write('go ahead'), { kind: 'upgrade', to: 'tls' }, write('secret'))
    peer.write('hello')
    expect(engine.calls).toEqual([])
    await settle()
    expect(engine.calls).toEqual(['upgraded TLSv1.3', 'feed'])
    expect(heard()).toBe('go aheadsecret')
  })

  test('an upgrade that can not be ends the conversation', async () => {
    const { engine, ended } = scene()
    engine.say({ kind: 'upgrade', to: 'tls' })
    expect(await ended).toMatchObject({ reason: 'tls' })
    expect(engine.calls).toEqual(['end with error'])
  })

  test('a wake in the middle of effects is not lost', async () => {
    const { engine, heard } = scene()
    const next = engine.next.bind(engine)
    let woken = false
    engine.next = () => {
      const effect = next()
      if (effect === undefined && !woken) {
        woken = true
        engine.say(write('late'))
      }
      return effect
    }
    engine.say(write('early '))
    await settle()
    expect(heard()).toBe('early late')
  })
})
