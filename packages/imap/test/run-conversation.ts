/** Plays octets to an engine in given pieces and gathers what it does; no socket, no time. */
import type { Effect, Engine } from '@postern/core/conversation'

/** What a conversation came to. */
export interface Played {
  /** Everything written, one octet a character. */
  readonly output: string
  readonly closes: readonly Extract<Effect, { kind: 'close' }>[]
  /** Most octets the engine held at any time. */
  readonly maxBuffered: number
  /** Octets offered that the engine did not take before it closed. */
  readonly leftOver: number
}

/** Feeds the pieces as the engine is hungry, then closes the peer's side. */
export async function playConversation(engine: Engine, pieces: readonly Uint8Array[]): Promise<Played> {
  const closes: Extract<Effect, { kind: 'close' }>[] = []
  let output = ''
  let maxBuffered = 0
  let woken = false
  engine.onWake(() => {
    woken = true
  })
  const pump = (): void => {
    woken = false
    for (let effect = engine.next(); effect !== undefined; effect = engine.next()) {
      if (effect.kind === 'write') for (const octets of effect.octets) output += Buffer.from(octets).toString('latin1')
      if (effect.kind === 'close') closes.push(effect)
      if (effect.kind === 'upgrade') engine.upgraded({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' })
    }
    maxBuffered = Math.max(maxBuffered, (engine as Engine & { readonly buffered: number }).buffered)
  }
  /** Until nothing goes on any more. */
  const rest = async (): Promise<void> => {
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
      quiet = woken ? 0 : quiet + 1
      pump()
    }
  }
  pump()
  let at = 0
  for (; at < pieces.length && closes.length === 0; at += 1) {
    for (let turns = 0; !engine.hungry && closes.length === 0; turns += 1) {
      if (turns > 1000) throw new Error('The engine does not take octets')
      await rest()
    }
    if (closes.length > 0) break
    engine.feed((pieces[at] as Uint8Array).slice())
    pump()
  }
  if (closes.length === 0) {
    engine.end()
    pump()
    await rest()
  }
  return { output, closes, maxBuffered, leftOver: pieces.slice(at).reduce((sum, piece) => sum + piece.length, 0) }
}

/** Cuts octets after each of the given numbers of octets, over and over. */
export function cutInto(octets: Uint8Array, lengths: readonly number[]): readonly Uint8Array[] {
  const pieces: Uint8Array[] = []
  for (let at = 0, n = 0; at < octets.length; n += 1) {
    const length = Math.max(1, lengths[n % lengths.length] ?? octets.length)
    pieces.push(octets.slice(at, at + length))
    at += length
  }
  return pieces
}
