/** Performs what an engine asks for by writing it down: conversations without a stream, a clock or a wait. */
import type { Effect, Engine } from '@postern/core/conversation'
import { createSmtpServerEngine, type SmtpServerEngineOptions } from '../src/server/index.ts'
import { type BackendHabits, RecordingBackend } from './recording-backend.ts'

export const tls = { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }

/** What came of a conversation. */
export interface Run {
  readonly text: string
  readonly closes: number
  readonly messages: readonly string[]
  readonly recipients: readonly string[]
  /** Messages begun and given up. */
  readonly aborted: number
}

export function engineWith(backend: RecordingBackend, options: Partial<SmtpServerEngineOptions> = {}): Engine {
  return createSmtpServerEngine({ backend, hostname: 'mail.example.org', mode: 'mx', id: 'id1', connection: {}, ...options })
}

/** Performs an engine's effects by writing them down; pauses are over at once, TLS begins at once. */
export class Performer {
  readonly effects: Effect[] = []
  closes = 0
  readonly engine: Engine

  constructor(engine: Engine) {
    this.engine = engine
    this.pump()
  }

  pump(): void {
    while (this.closes === 0) {
      const effect = this.engine.next()
      if (effect === undefined) return
      this.effects.push(effect)
      if (effect.kind === 'close') this.closes += 1
      if (effect.kind === 'upgrade') this.engine.upgraded(tls)
    }
  }

  /** Feeds what is wanted and gives what comes of it. */
  feed(octets: Uint8Array | string): void {
    this.engine.feed(Buffer.from(octets as string, 'latin1'))
    this.pump()
  }

  /** Goes on until the engine takes octets again, or is over. */
  async untilHungry(): Promise<void> {
    for (let turn = 0; turn < 40 && this.closes === 0 && !this.engine.hungry; turn += 1) await this.turn()
  }

  async end(): Promise<void> {
    if (this.closes === 0) this.engine.end()
    this.pump()
    for (let turn = 0; turn < 40 && this.closes === 0; turn += 1) await this.turn()
  }

  async turn(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    this.pump()
  }

  get text(): string {
    return textOf(this.effects)
  }
}

/** Feeds pieces while the engine is hungry, as a driver does; then ends. */
export async function converse(pieces: readonly Uint8Array[], habits: BackendHabits = {}, options: Partial<SmtpServerEngineOptions> = {}): Promise<Run> {
  const backend = new RecordingBackend(habits)
  const performer = new Performer(engineWith(backend, options))
  await performer.untilHungry()
  for (const piece of pieces) {
    if (performer.closes > 0) break
    performer.feed(piece.slice())
    await performer.untilHungry()
  }
  await performer.end()
  return { text: performer.text, closes: performer.closes, messages: backend.messages.map(({ octets }) => octets.toString('latin1')), recipients: backend.recipients, aborted: backend.aborted }
}

/** Effects as text; timers left out: when they are set depends on where input is cut. */
function textOf(effects: readonly Effect[]): string {
  let text = ''
  for (const effect of effects) {
    if (effect.kind === 'write') text += Buffer.concat(effect.octets).toString('latin1')
    else if (effect.kind !== 'timer') text += `<${JSON.stringify(effect)}>`
  }
  return text
}

/** Cuts octets at places anywhere. */
export function cut(octets: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (octets.length + 1)))].sort((a, b) => a - b)
  return [...at, octets.length].map((to, index) => octets.subarray(index === 0 ? 0 : at[index - 1], to))
}
