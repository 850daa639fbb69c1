import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFrames, type Frame, type Frames, type Receive, type ReceiveOutcome } from '../../src/conversation/index.ts'
import { DotScanner } from '../../src/conversation/dot-scanner.ts'

/** Keeps what it is given. */
class TestSink {
  octets: Buffer = Buffer.alloc(0)
  aborted: unknown[] = []
  ended = 0
  readonly #slow: boolean

  constructor(slow = false) {
    this.#slow = slow
  }

  write(octets: Uint8Array): void | Promise<void> {
    this.octets = Buffer.concat([this.octets, octets])
    return this.#slow ? Promise.resolve() : undefined
  }

  end(): Promise<number> {
    this.ended += 1
    return Promise.resolve(this.octets.length)
  }

  abort(cause: unknown): void {
    this.aborted.push(cause)
  }
}

/** What came out of a run, in a form that compares. */
type Seen = { readonly line: string; readonly bareLf: boolean } | { readonly tooLong: true } | { readonly outcome: ReceiveOutcome; readonly data: string }

interface Script {
  readonly maxLineOctets: number
  /** After the line of that text, this follows. */
  readonly receive: (line: string, sink: TestSink) => Receive | undefined
  readonly slow?: boolean
}

async function run(pieces: readonly Uint8Array[], script: Script): Promise<readonly Seen[]> {
  const frames = createFrames({ maxLineOctets: script.maxLineOctets })
  const seen: Seen[] = []
  let sink = new TestSink(script.slow)
  const take = (frame: Frame): boolean => {
    if (frame.kind === 'line-too-long') {
      seen.push({ tooLong: true })
      return false
    }
    if (frame.kind === 'received') {
      seen.push({ outcome: frame.outcome, data: frame.outcome.kind === 'complete' ? sink.octets.toString('latin1') : '' })
      return frame.outcome.kind !== 'no-end' && frame.outcome.kind !== 'bare-newline'
    }
    const line = Buffer.from(frame.octets).toString('latin1')
    seen.push({ line, bareLf: frame.bareLf })
    sink = new TestSink(script.slow)
    const how = script.receive(line, sink)
    if (how !== undefined) frames.receive(how)
    return true
  }
  for (const piece of pieces) {
    frames.push(piece.slice())
    if (!(await drain(frames, take))) return seen
  }
  return seen
}

/** Takes frames until there is none and no sink is waited for. */
async function drain(frames: Frames, take: (frame: Frame) => boolean): Promise<boolean> {
  for (;;) {
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      if (!take(frame)) return false
    }
    if (!frames.waiting) return true
    await new Promise<void>((resolve) => {
      frames.onWake(resolve)
    })
  }
}

function cut(octets: Uint8Array, cuts: readonly number[]): readonly Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (octets.length + 1)))].sort((a, b) => a - b)
  const pieces: Uint8Array[] = []
  let from = 0
  for (const to of [...at, octets.length]) {
    if (to > from) pieces.push(octets.subarray(from, to))
    from = Math.max(from, to)
  }
  return pieces
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const dataScript: Script = {
  maxLineOctets: 40,
  receive: (line, sink) => {
    if (line.startsWith('D')) return { until: 'dot', maxOctets: 30, maxDiscardOctets: 25, sink }
    const count = /^L(\d{1,2})$/.exec(line)
    return count === null ? undefined : { until: Number(count[1]), maxOctets: 20, maxDiscardOctets: 30, sink }
  },
}

/** Streams rich in what the scanners look for. */
const stream = fc
  .array(fc.constantFrom('\r', '\n', '.', '\r\n', '\r\n.\r\n', 'a', 'DATA\r\n', 'L7\r\n', 'L25\r\n', '\r\n..', '\0', 'long text with no line end in it '), {
    maxLength: 60,
  })
  .map((pieces) => bytes(pieces.join('')))

describe('chunks never matter', () => {
  test('lines, data and counted streams come out the same however octets are cut', async () => {
    await fc.assert(
      fc.asyncProperty(stream, fc.array(fc.nat(2000), { maxLength: 8 }), fc.boolean(), async (octets, cuts, slow) => {
        const script = { ...dataScript, slow }
        const whole = await run([octets], script)
        expect(await run(cut(octets, cuts), script)).toEqual(whole)
        expect(await run(Array.from(octets, (octet) => Uint8Array.of(octet)), script)).toEqual(whole)
      }),
      { numRuns: 400 },
    )
  })
})

/** DATA as RFC 5321 §4.5.2 tells it, on the whole text at once. */
function unstuff(text: string): { readonly kind: 'complete'; readonly data: string } | { readonly kind: 'bare-newline' | 'unfinished' } {
  const lines = `\r\n${text}`.split('\r\n').slice(1)
  const end = lines.indexOf('.')
  const isEnded = end >= 0 && end < lines.length - 1
  const body = isEnded ? lines.slice(0, end) : lines
  if (body.some((line, index) => /[\r\n]/.test(isEnded || index < body.length - 1 ? line : line.replace(/\r$/, '')))) return { kind: 'bare-newline' }
  if (!isEnded) return { kind: 'unfinished' }
  return { kind: 'complete', data: body.map((line) => `${line.startsWith('.') ? line.slice(1) : line}\r\n`).join('') }
}

describe('dot-stuffing', () => {
  test('agrees with a naive model', async () => {
    const text = fc.array(fc.constantFrom('.', '..', '\r\n', '\r\n.', 'a', 'b.c', '\r', '\n'), { maxLength: 25 }).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(text, async (body) => {
        const script: Script = { maxLineOctets: 10, receive: (_, sink) => ({ until: 'dot', maxOctets: 1e6, maxDiscardOctets: 1e6, sink }) }
        const input = `${body}\r\n.\r\n`
        const [, received] = await run([bytes(`D\r\n${input}`)], script)
        const model = unstuff(input)
        if (model.kind === 'bare-newline') {
          // Without an end that counts, the rest is still being thrown away.
          expect(received === undefined || ('outcome' in received && received.outcome.kind === 'bare-newline')).toBe(true)
        } else if (model.kind === 'complete') {
          expect(received).toMatchObject({ outcome: { kind: 'complete' }, data: model.data })
        } else {
          expect(received).toBeUndefined()
        }
      }),
      { numRuns: 500 },
    )
  })

  const ends: readonly (readonly [name: string, data: string, kind: ReceiveOutcome['kind']])[] = [
    ['an end at once', '.\r\n', 'complete'],
    ['a line and an end', 'a\r\n.\r\n', 'complete'],
    ['LF dot LF', 'a\n.\n\r\n.\r\n', 'bare-newline'],
    ['LF dot CR LF', 'a\n.\r\n\r\n.\r\n', 'bare-newline'],
    ['CR LF dot LF', 'a\r\n.\n\r\n.\r\n', 'bare-newline'],
    ['CR dot CR', 'a\r.\r\r\n.\r\n', 'bare-newline'],
    ['CR dot CR LF', 'a\r.\r\n\r\n.\r\n', 'bare-newline'],
    ['CR LF dot CR', 'a\r\n.\rb\r\n.\r\n', 'bare-newline'],
    ['CR CR LF', 'a\r\r\n.\r\n', 'bare-newline'],
    ['LF first', '\n\r\n.\r\n', 'bare-newline'],
    ['CR first', '\ra\r\n.\r\n', 'bare-newline'],
    ['NUL before the dot', 'a\r\n\0.\r\n.\r\n', 'complete'],
    ['space behind the dot', 'a\r\n. \r\n.\r\n', 'complete'],
  ]
  for (const [name, data, kind] of ends) {
    test(`${name}: ${kind}`, async () => {
      const script: Script = { maxLineOctets: 10, receive: (_, sink) => ({ until: 'dot', maxOctets: 100, maxDiscardOctets: 100, sink }) }
      const [, received] = await run([bytes(`D\r\n${data}`)], script)
      expect(received).toMatchObject({ outcome: { kind } })
    })
  }

  test('what is thrown away is looked at once, however many newlines are bare', () => {
    for (const filler of ['\r', '\n', '\r\n', '\n\r', '.', 'a']) {
      const scanner = new DotScanner()
      let looks = 0
      const octets = Buffer.alloc(20_000, filler, 'latin1')
      const counted = new Proxy(octets, {
        get(target, key) {
          if (typeof key === 'string' && /^\d+$/.test(key)) looks += 1
          return Reflect.get(target, key, target) as unknown
        },
      })
      expect(scanner.skip(counted, 0, octets.length).isEnd).toBe(false)
      expect(looks).toBe(octets.length)
    }
  })

  for (const line of ['some text without dots\r\n', '..dots and little else\r\n']) {
    test(`text goes to the sink in one piece, not line by line: ${line.slice(0, -2)}`, async () => {
      const writes: number[] = []
      const frames = createFrames({ maxLineOctets: 10 })
      frames.push(bytes(`D\r\n${line.repeat(2000)}.\r\n`))
      frames.next()
      frames.receive({
        until: 'dot',
        maxOctets: 1e6,
        maxDiscardOctets: 0,
        sink: { write: (octets) => void writes.push(octets.length), end: () => Promise.resolve(), abort() {} },
      })
      await drain(frames, () => true)
      expect(writes).toEqual([(line.startsWith('.') ? line.length - 1 : line.length) * 2000])
    })
  }
})

describe('limits', () => {
  test('a line just fits, and one octet more does not', async () => {
    const script: Script = { maxLineOctets: 5, receive: () => undefined }
    expect(await run([bytes('12345\r\n')], script)).toEqual([{ line: '12345', bareLf: false }])
    expect(await run([bytes('12345\n')], script)).toEqual([{ line: '12345', bareLf: true }])
    expect(await run([bytes('123456\r\n')], script)).toEqual([{ tooLong: true }])
    expect(await run([bytes('1234567')], script)).toEqual([{ tooLong: true }])
    expect(await run([bytes('12345\r')], script)).toEqual([])
  })

  test('held octets stay under the limit and one chunk', () => {
    const frames = createFrames({ maxLineOctets: 100 })
    for (let round = 0; round < 1000; round += 1) {
      frames.push(new Uint8Array(10).fill(0x61))
      if (frames.next() !== undefined) break
      expect(frames.buffered).toBeLessThanOrEqual(101)
    }
    expect(frames.buffered).toBeLessThanOrEqual(111)
  })

  const sizes: readonly (readonly [data: number, max: number, discard: number, kind: ReceiveOutcome['kind']])[] = [
    [10, 10, 0, 'complete'],
    [11, 10, 100, 'too-large'],
    [110, 10, 103, 'too-large'],
    [110, 10, 102, 'no-end'],
    [500, 10, 100, 'no-end'],
  ]
  for (const [length, maxOctets, maxDiscardOctets, kind] of sizes) {
    test(`${length} octets of data, at most ${maxOctets} and ${maxDiscardOctets} to throw away: ${kind}`, async () => {
      const script: Script = { maxLineOctets: 10, receive: (_, sink) => ({ until: 'dot', maxOctets, maxDiscardOctets, sink }) }
      const [, received] = await run([bytes(`D\r\n${'a'.repeat(length - 2)}\r\n.\r\n`)], script)
      expect(received).toMatchObject({ outcome: { kind } })
    })
  }

  test('a counted stream over the limit is refused before it comes, and thrown away', async () => {
    const sink = new TestSink()
    const frames = createFrames({ maxLineOctets: 10 })
    frames.push(bytes('L\r\n'))
    frames.next()
    frames.receive({ until: 20, maxOctets: 19, maxDiscardOctets: 20, sink })
    expect(sink.aborted).toHaveLength(1)
    frames.push(bytes(`${'a'.repeat(20)}next\r\n`))
    expect(frames.next()).toEqual({ kind: 'received', outcome: { kind: 'too-large' } })
    expect(frames.next()).toMatchObject({ kind: 'line' })
    expect(sink.octets).toHaveLength(0)
  })

  test('a counted stream of nothing ends at once', async () => {
    const script: Script = { maxLineOctets: 10, receive: (_, sink) => ({ until: 0, maxOctets: 0, maxDiscardOctets: 0, sink }) }
    expect(await run([bytes('L\r\n')], script)).toMatchObject([{ line: 'L' }, { outcome: { kind: 'complete', octets: 0 } }])
  })
})

describe('sinks', () => {
  test('nothing behind the stream is read before its end is settled', async () => {
    const frames = createFrames({ maxLineOctets: 10 })
    let settle: (value: string) => void = () => {}
    frames.push(bytes('D\r\na\r\n.\r\nNOOP\r\n'))
    frames.next()
    frames.receive({
      until: 'dot',
      maxOctets: 10,
      maxDiscardOctets: 10,
      sink: { write() {}, abort() {}, end: () => new Promise((resolve) => (settle = resolve)) },
    })
    expect(frames.next()).toBeUndefined()
    expect(frames.waiting).toBe(true)
    expect(frames.next()).toBeUndefined()
    settle('done')
    await new Promise<void>((resolve) => {
      frames.onWake(resolve)
    })
    expect(frames.next()).toEqual({ kind: 'received', outcome: { kind: 'complete', result: 'done', octets: 3 } })
    expect(frames.next()).toMatchObject({ kind: 'line' })
  })

  test('a slow sink is given nothing more before it is ready, the end neither', async () => {
    const frames = createFrames({ maxLineOctets: 10 })
    const calls: string[] = []
    let release: () => void = () => {}
    frames.push(bytes('D\r\na\r\n..b\r\n.\r\n'))
    frames.next()
    frames.receive({
      until: 'dot',
      maxOctets: 100,
      maxDiscardOctets: 10,
      sink: {
        write(octets) {
          calls.push(Buffer.from(octets).toString())
          return new Promise((resolve) => (release = resolve))
        },
        end: () => Promise.resolve(calls.push('end')),
        abort() {},
      },
    })
    expect(frames.next()).toBeUndefined()
    expect(frames.next()).toBeUndefined()
    expect(calls).toEqual(['a\r\n.b\r\n'])
    const woken = new Promise<void>((resolve) => {
      frames.onWake(resolve)
    })
    release()
    await woken
    await drain(frames, () => true)
    expect(calls).toEqual(['a\r\n.b\r\n', 'end'])
  })

  const faults: readonly (readonly [name: string, write: () => void | Promise<void>, end: () => Promise<unknown>])[] = [
    ['write throws', () => { throw new Error('full') }, () => Promise.resolve()],
    ['write rejects', () => Promise.reject(new Error('full')), () => Promise.resolve()],
    ['end rejects', () => {}, () => Promise.reject(new Error('full'))],
    ['end throws', () => {}, () => { throw new Error('full') }],
  ]
  for (const [name, write, end] of faults) {
    test(`${name}: the stream is read to its end and the error told`, async () => {
      const frames = createFrames({ maxLineOctets: 10 })
      const aborted: unknown[] = []
      const seen: Frame[] = []
      frames.push(bytes('D\r\na\r\n.b\r\n.\r\nNOOP\r\n'))
      frames.next()
      frames.receive({ until: 'dot', maxOctets: 100, maxDiscardOctets: 100, sink: { write, end, abort: (cause) => void aborted.push(cause) } })
      await drain(frames, (frame) => seen.push(frame) > 0)
      expect(seen).toMatchObject([{ kind: 'received', outcome: { kind: 'sink-failed', error: new Error('full') } }, { kind: 'line' }])
      expect(aborted).toEqual([])
    })
  }

  test('a stream under way is aborted once, and one that has ended is not', async () => {
    const frames = createFrames({ maxLineOctets: 10 })
    const sink = new TestSink()
    frames.push(bytes('D\r\na'))
    frames.next()
    frames.receive({ until: 'dot', maxOctets: 10, maxDiscardOctets: 10, sink })
    frames.next()
    frames.abort('gone')
    frames.abort('gone')
    expect(sink.aborted).toEqual(['gone'])
    frames.push(bytes('\r\n.\r\n'))
    expect(frames.next()).toBeUndefined()
    expect(sink.ended).toBe(0)
  })
})
