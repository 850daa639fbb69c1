/** What an account of the memory double has learned of words: a list of what waits, and counts in a Map. */
import type {
  AccountTraining,
  CorpusRebuild,
  CountedMessage,
  EmailId,
  SettleResult,
  TrainingState,
  WaitingTraining,
  WordCounts,
  WordDelta,
  WordVerdict,
} from '../src/store/index.ts'
import { judgedJunk } from '../src/store/index.ts'

type Counted = WordVerdict | 'none' | undefined

function verdictOf(counted: Counted): WordVerdict | undefined {
  return counted === 'none' ? undefined : counted
}

class MemoryWords {
  readonly totals = { ham: 0, spam: 0 }
  readonly #counts = new Map<string, { ham: number; spam: number }>()
  readonly counted = new Map<EmailId, Counted>()

  add({ keys, verdict, sign }: WordDelta): void {
    this.totals[verdict] += sign
    for (let at = 0; at < keys.length; at += 2) {
      const word = `${keys[at]} ${keys[at + 1]}`
      const count = this.#counts.get(word) ?? { ham: 0, spam: 0 }
      count[verdict] += sign
      this.#counts.set(word, count)
    }
  }

  read(keys: Uint32Array): WordCounts {
    const counts = new Int32Array(keys.length)
    for (let at = 0; at < keys.length; at += 2) {
      const count = this.#counts.get(`${keys[at]} ${keys[at + 1]}`)
      counts[at] = count?.ham ?? 0
      counts[at + 1] = count?.spam ?? 0
    }
    return { totals: { ...this.totals }, counts }
  }

  count(emailId: EmailId, counted: Counted, keys: Uint32Array): void {
    const [before, now] = [verdictOf(this.counted.get(emailId)), verdictOf(counted)]
    if (counted === undefined) this.counted.delete(emailId)
    else this.counted.set(emailId, counted)
    if (before === now) return
    if (before !== undefined) this.add({ keys, verdict: before, sign: -1 })
    if (now !== undefined) this.add({ keys, verdict: now, sign: 1 })
  }
}

export interface MemoryMessages {
  /** Undefined: it is gone. */
  octetsOf(emailId: EmailId): Uint8Array | undefined
  /** Something was left to be learned. */
  left(): void
}

export class MemoryTraining implements AccountTraining {
  readonly #messages: MemoryMessages
  #words = new MemoryWords()
  #reading: number | undefined
  #building: MemoryWords | undefined
  #waiting: { readonly emailId: EmailId; readonly judged: WordVerdict | undefined }[] = []
  /** Judgements ever taken off the list. */
  #taken = 0
  readonly #doomed = new Set<EmailId>()

  constructor(messages: MemoryMessages) {
    this.#messages = messages
  }

  readonly corpus = {
    read: (keys: Uint32Array): Promise<WordCounts> => Promise.resolve(this.#words.read(keys)),
    apply: (deltas: readonly WordDelta[]): Promise<void> => {
      for (const delta of deltas) this.#words.add(delta)
      return Promise.resolve()
    },
  }

  /** A place of a message has other flags than before; a new one had 0. */
  judge(emailId: EmailId, before: number, after: number): void {
    const junk = judgedJunk(after)
    if (judgedJunk(before) === junk) return
    this.#waiting.push({ emailId, judged: junk === undefined ? undefined : junk ? 'spam' : 'ham' })
    this.#messages.left()
  }

  /** A message has no place any more. @returns whether it must stay until it is unlearned */
  doom(emailId: EmailId): boolean {
    const isCounted = [this.#words, this.#building].some((words) => ['ham', 'spam'].includes(words?.counted.get(emailId) ?? ''))
    if (!isCounted) return false
    if (!this.#doomed.has(emailId)) {
      this.#doomed.add(emailId)
      this.#waiting.push({ emailId, judged: undefined })
      this.#messages.left()
    }
    return true
  }

  state(): Promise<TrainingState> {
    return Promise.resolve({ totals: { ...this.#words.totals }, reading: this.#reading })
  }

  waiting(most: number): Promise<WaitingTraining> {
    const judged = new Map<EmailId, WordVerdict | undefined>()
    let taken = this.#taken
    for (const left of this.#waiting) {
      if (judged.size >= most && !judged.has(left.emailId)) break
      judged.set(left.emailId, left.judged)
      taken += 1
    }
    const messages = Array.from(judged, ([emailId, verdict]) => ({ emailId, judged: verdict, counted: this.#countedAs(emailId) }))
    return Promise.resolve({ messages, upTo: messages.length === 0 ? '' : String(taken) })
  }

  octets(emailId: EmailId, most: number): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#messages.octetsOf(emailId)?.slice(0, most))
  }

  settle(upTo: string, messages: readonly CountedMessage[], reading: number): Promise<SettleResult> {
    const isCounting = messages.some(({ before, counted }) => before !== verdictOf(counted))
    if (this.#building !== undefined) return Promise.resolve('stale')
    if (isCounting && this.#reading !== undefined && this.#reading !== reading) return Promise.resolve('other-reading')
    if (messages.some(({ emailId, before }) => this.#countedAs(emailId) !== before)) return Promise.resolve('stale')
    const end = upTo === '' ? this.#taken : Number(upTo)
    if (end <= this.#taken && upTo !== '') return Promise.resolve('stale')
    this.#waiting.splice(0, end - this.#taken)
    this.#taken = end
    for (const { emailId, before, counted, keys } of messages) {
      const now = this.#messages.octetsOf(emailId) === undefined ? undefined : counted
      this.#words.count(emailId, now, keys)
      if (this.#doomed.delete(emailId)) this.#words.counted.delete(emailId)
      if (before !== verdictOf(now)) this.#reading = reading
    }
    return Promise.resolve('settled')
  }

  rebuild(reading: number): Promise<CorpusRebuild> {
    const words = new MemoryWords()
    this.#building = words
    return Promise.resolve({
      known: (emailIds) => Promise.resolve(emailIds.map((emailId) => this.#words.counted.get(emailId))),
      count: (messages) => {
        for (const { emailId, counted, keys } of messages) {
          if (verdictOf(words.counted.get(emailId)) !== undefined || this.#messages.octetsOf(emailId) === undefined) continue
          words.count(emailId, counted, keys)
        }
        return Promise.resolve()
      },
      finish: () => {
        this.#words = words
        this.#reading = reading
        this.#building = undefined
        return Promise.resolve()
      },
      abort: () => {
        this.#building = undefined
        return Promise.resolve()
      },
    })
  }

  #countedAs(emailId: EmailId): WordVerdict | undefined {
    return verdictOf(this.#words.counted.get(emailId))
  }
}
