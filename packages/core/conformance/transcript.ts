/**
 * Runs protocol transcripts: markdown in which `C:` and `S:` lines show a conversation as RFCs write it.
 *
 * A `##` heading names one test, `###` begins another under it; text between is prose. Lines that mean something:
 *
 *     C: MAIL FROM:<>            octets from the client, with CR LF
 *     C, a001 LOGIN {3}          octets from the client as they stand, no line end added
 *     S: 250 2.1.0 OK            one line from the server, exactly
 *     S~ 250-SIZE \d+            one line from the server, matched whole by a regular expression
 *     S* 250                     any number of lines (none too) up to a line that begins so, that one included
 *     P: 5000                    the engine pauses that many milliseconds here
 *     U: tls                     the engine asks for TLS here, and gets it
 *     X: flushed limit           the engine closes here, how and why
 *     T: idle                    that timer runs out
 *     E:                         the peer closes its side
 *     G: words                   given: handed to the harness before the engine starts
 *     D: words                   done by the harness at this point (another session changes the mailbox, the server stops)
 *
 * In `C` and `S:` lines `\r \n \t \0 \\ \xHH` stand for octets; other text is UTF-8. `C` lines that follow each other are
 * sent together. Every test runs three times: each group of lines in one piece, cut at random (seeded), and octet by
 * octet; what comes back must be the same.
 */
import assert from 'node:assert/strict'
import type { Effect, Engine } from '../src/conversation/index.ts'

/** What a protocol package provides to run transcripts. */
export interface TranscriptHarness {
  /** A fresh engine. @param given words of the test's `G:` lines, in order */
  start(given: readonly string[]): TranscriptEngine | Promise<TranscriptEngine>
}

/** An engine under test. */
export interface TranscriptEngine {
  readonly engine: Engine
  /** Performs a `D:` line. */
  act?(words: string): void | Promise<void>
  /** Releases what `start` made. */
  close?(): void | Promise<void>
}

/** One test: a name and a function that throws when it fails. */
export interface TranscriptCase {
  readonly name: string
  run(): Promise<void>
}

type Step =
  | { readonly kind: 'send'; readonly octets: Uint8Array; readonly line: number }
  | { readonly kind: 'expect'; readonly expectations: readonly Expectation[]; readonly line: number }
  | { readonly kind: 'timer'; readonly name: string; readonly line: number }
  | { readonly kind: 'end'; readonly line: number }
  | { readonly kind: 'do'; readonly words: string; readonly line: number }

type Expectation =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'pattern'; readonly pattern: RegExp }
  | { readonly kind: 'until'; readonly prefix: string }

interface Script {
  readonly name: string
  readonly given: string[]
  readonly steps: Step[]
}

type Cutting = { readonly name: string; readonly cut: (octets: Uint8Array) => readonly Uint8Array[] }

/** @param markdown text of a transcript file  @throws Error when a line can't be understood */
export function transcriptCases(markdown: string, harness: TranscriptHarness): readonly TranscriptCase[] {
  const cases: TranscriptCase[] = []
  for (const script of parseTranscript(markdown)) {
    for (const cutting of cuttings(script.name)) {
      cases.push({ name: `${script.name} (${cutting.name})`, run: () => runScript(script, cutting, harness) })
    }
  }
  return cases
}

function cuttings(seedText: string): readonly Cutting[] {
  return [
    { name: 'whole', cut: (octets) => [octets] },
    { name: 'random cuts', cut: randomCuts(seedText) },
    { name: 'octet by octet', cut: (octets) => Array.from(octets, (octet) => Uint8Array.of(octet)) },
  ]
}

/** Cuts seeded by the test's name, so that a failure comes back. */
function randomCuts(seedText: string): (octets: Uint8Array) => readonly Uint8Array[] {
  let state = 2166136261
  for (const character of seedText) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16777619) >>> 0
  const random = (below: number): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % below
  }
  return (octets) => {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < octets.length; ) {
      const length = Math.min(octets.length - at, 1 + random(17))
      pieces.push(octets.slice(at, at + length))
      at += length
    }
    return pieces
  }
}

function parseTranscript(markdown: string): readonly Script[] {
  const scripts: Script[] = []
  let current: Script | undefined
  let heading = ''
  let expectations: Expectation[] | undefined
  markdown.split(/\r?\n/).forEach((raw, index) => {
    const line = index + 1
    const title = /^(#{2,3}) +(.*\S)/.exec(raw)
    if (title !== null) {
      const text = title[2] as string
      if (title[1] === '##') heading = text
      current = { name: title[1] === '##' ? text : `${heading}: ${text}`, given: [], steps: [] }
      scripts.push(current)
      expectations = undefined
      return
    }
    const mark = /^ {0,4}(?:([CSTDGPUXE]):|(C),|(S)~|(S)\*)(?: (.*))?$/.exec(raw)
    if (mark === null) return
    if (current === undefined) throw new Error(`Transcript line ${line} stands before any ## heading`)
    const rest = mark[5] ?? ''
    const steps = current.steps
    const expect = (expectation: Expectation): void => {
      if (expectations === undefined) {
        expectations = []
        steps.push({ kind: 'expect', expectations, line })
      }
      expectations.push(expectation)
    }
    if (mark[3] !== undefined) return expect({ kind: 'pattern', pattern: new RegExp(`^(?:${rest})$`, 'su') })
    if (mark[4] !== undefined) return expect({ kind: 'until', prefix: rest })
    switch (mark[1] ?? 'C,') {
      case 'S':
        return expect({ kind: 'line', text: octetText(unescape(rest)) })
      case 'P':
        return expect({ kind: 'line', text: `<pause ${rest}>` })
      case 'U':
        return expect({ kind: 'line', text: `<upgrade ${rest}>` })
      case 'X':
        return expect({ kind: 'line', text: `<close ${rest}>` })
    }
    expectations = undefined
    switch (mark[1] ?? 'C,') {
      case 'C':
      case 'C,': {
        const octets = unescape(mark[1] === 'C' ? `${rest}\\r\\n` : rest)
        const last = steps.at(-1)
        if (last?.kind === 'send') steps[steps.length - 1] = { ...last, octets: Buffer.concat([last.octets, octets]) }
        else steps.push({ kind: 'send', octets, line })
        return
      }
      case 'T':
        steps.push({ kind: 'timer', name: rest, line })
        return
      case 'E':
        steps.push({ kind: 'end', line })
        return
      case 'D':
        steps.push({ kind: 'do', words: rest, line })
        return
      case 'G':
        current.given.push(rest)
    }
  })
  return scripts.filter((script) => script.steps.length > 0)
}

function unescape(text: string): Uint8Array {
  const pieces: Uint8Array[] = []
  const pattern = /\\(?:x([0-9a-fA-F]{2})|(.))|[^\\]+/gsu
  for (const match of text.matchAll(pattern)) {
    if (match[1] !== undefined) pieces.push(Uint8Array.of(Number.parseInt(match[1], 16)))
    else if (match[2] !== undefined) pieces.push(Buffer.from(escaped(match[2])))
    else pieces.push(Buffer.from(match[0]))
  }
  return Buffer.concat(pieces)
}

function escaped(character: string): string {
  switch (character) {
    case 'r':
      return '\r'
    case 'n':
      return '\n'
    case 't':
      return '\t'
    case '0':
      return '\0'
    case '\\':
      return '\\'
    default:
      throw new Error(`Unknown escape \\${character}`)
  }
}

/** Octets as text in which every octet is one character, so that a difference shows. */
function octetText(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1')
}

async function runScript(script: Script, cutting: Cutting, harness: TranscriptHarness): Promise<void> {
  const started = await harness.start(script.given)
  const run = new ScriptRun(started, cutting)
  try {
    for (const step of script.steps) {
      try {
        await run.step(step)
      } catch (error) {
        if (error instanceof Error) error.message = `line ${step.line}: ${error.message}`
        throw error
      }
    }
    await run.settle()
    assert.equal(run.unexpected(), '', 'the server said more than the transcript shows')
  } finally {
    if (!run.closed) started.engine.end()
    await started.close?.()
  }
}

/** How long an answer may take before a test fails. */
const ANSWER_TIMEOUT_MS = 10_000

class ScriptRun {
  closed = false
  readonly #engine: Engine
  readonly #started: TranscriptEngine
  readonly #cutting: Cutting
  /** Complete lines and effects not yet expected. */
  readonly #lines: string[] = []
  #partial = ''
  #woken = false
  readonly #timers = new Set<string>()

  constructor(started: TranscriptEngine, cutting: Cutting) {
    this.#engine = started.engine
    this.#started = started
    this.#cutting = cutting
    this.#engine.onWake(() => {
      this.#woken = true
    })
    this.#pump()
  }

  async step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'send':
        for (const piece of this.#cutting.cut(step.octets)) {
          await this.#untilHungry()
          if (this.closed) return
          // The engine takes ownership, so it gets octets of its own.
          this.#engine.feed(piece.slice())
          this.#pump()
        }
        return
      case 'expect':
        for (const expectation of step.expectations) await this.#expect(expectation)
        return
      case 'timer':
        await this.settle()
        assert.ok(this.#timers.has(step.name), `no timer named ${step.name} is running`)
        this.#timers.delete(step.name)
        this.#engine.timeout(step.name as Parameters<Engine['timeout']>[0])
        this.#pump()
        return
      case 'end':
        await this.settle()
        this.#engine.end()
        this.#pump()
        return
      case 'do':
        await this.settle()
        if (this.#started.act === undefined) throw new Error('This harness performs no D: lines')
        await this.#started.act(step.words)
        this.#pump()
    }
  }

  /** Lets everything under way come to rest. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; ) {
      await nextTurn()
      if (this.#woken) {
        this.#pump()
        quiet = 0
      } else quiet += 1
    }
  }

  unexpected(): string {
    return [...this.#lines, ...(this.#partial === '' ? [] : [this.#partial])].join('\n')
  }

  async #expect(expectation: Expectation): Promise<void> {
    if (expectation.kind === 'until') {
      for (;;) {
        const line = await this.#line(`a line beginning ${expectation.prefix}`)
        if (line.startsWith(expectation.prefix)) return
      }
    }
    if (expectation.kind === 'pattern') {
      const line = await this.#line(String(expectation.pattern))
      assert.match(line, expectation.pattern)
      return
    }
    assert.equal(await this.#line(expectation.text), expectation.text)
  }

  async #line(what: string): Promise<string> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS
    while (this.#lines.length === 0) {
      if (this.closed || performance.now() > deadline) {
        assert.fail(`expected ${what}, got nothing${this.#partial === '' ? '' : ` but ${this.#partial}`}`)
      }
      await nextTurn()
      if (this.#woken) this.#pump()
    }
    return this.#lines.shift() as string
  }

  async #untilHungry(): Promise<void> {
    const deadline = performance.now() + ANSWER_TIMEOUT_MS
    while (!this.closed && !this.#engine.hungry) {
      if (performance.now() > deadline) assert.fail('the engine does not take octets')
      await nextTurn()
      this.#pump()
    }
  }

  #pump(): void {
    this.#woken = false
    while (!this.closed) {
      const effect = this.#engine.next()
      if (effect === undefined) return
      this.#perform(effect)
    }
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'write': {
        for (const octets of effect.octets) this.#partial += octetText(octets)
        const lines = this.#partial.split('\r\n')
        this.#partial = lines.pop() as string
        this.#lines.push(...lines)
        return
      }
      case 'timer':
        if (effect.ms === undefined) this.#timers.delete(effect.name)
        else this.#timers.add(effect.name)
        return
      case 'pause':
        this.#lines.push(`<pause ${effect.ms}>`)
        return
      case 'upgrade':
        this.#lines.push(`<upgrade ${effect.to}>`)
        this.#engine.upgraded({ protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' })
        return
      case 'close':
        this.closed = true
        this.#lines.push(`<close ${effect.how} ${effect.reason}>`)
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
