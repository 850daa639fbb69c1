/**
 * Learns what changes of flags left to be learned, one account after another, in commits of its own, so that neither
 * deliveries nor IMAP wait for it; and makes an account's corpus anew when asked to, or when words are read in a new way.
 * Not here: counts (the store), words (junk-reader.ts).
 */
import type { Clock, Logger, Timer } from '@postern/core/host'
import type { AccountTraining, CountedMessage, MailStore, WaitingMessage } from '@postern/core/store'
import { MAX_READ_OCTETS, type JunkReader } from './junk-reader.ts'
import { READING } from './junk-reading.ts'
import { rebuildCorpus, type RetrainOptions, type RetrainReport } from './junk-retrain.ts'

/** What comes within so many milliseconds is learned together. */
const DELAY_MS = 500
/** LIMIT: messages learned by one commit, and words. */
const BATCH_MESSAGES = 64
const BATCH_WORDS = 50_000
/** How often in a row a batch may turn out to be old; then others have their turn. */
const MAX_STALE = 3
/** After a failure: until then the store may have come round. */
const RETRY_MS = 60_000

const NO_WORDS = new Uint32Array(0)

/** What became of the judgements that were learned together. */
export interface Trained {
  readonly account: string
  readonly ham: number
  readonly spam: number
  /** Messages whose words were taken out, those that changed sides included. */
  readonly forgotten: number
}

export interface JunkTrainerHost {
  readonly store: MailStore
  readonly clock: Clock
  readonly logger: Logger
  readonly reader: JunkReader
  /** Whether an account has a filter. One without learns nothing, and what is withdrawn is still taken out. */
  readonly isEnabled: (account: string) => boolean
  readonly trained: (trained: Trained) => void
}

export class JunkTrainer {
  readonly #host: JunkTrainerHost
  readonly #due = new Set<string>()
  readonly #stopWatching: () => void
  /** One piece of work at a time: it is the background. */
  #turn: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #isClosed = false

  constructor(host: JunkTrainerHost) {
    this.#host = host
    this.#stopWatching = host.store.watchTraining((account) => this.#note(account))
  }

  /** Begins with what was left before the start. */
  async start(): Promise<void> {
    for (const account of await this.#host.store.accounts()) this.#note(account)
  }

  /** Resolves when all that was left so far is learned. */
  async settled(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = undefined
    await this.#inTurn(() => this.#settleDue())
  }

  /** Makes an account's corpus anew from all its messages. @returns undefined when there is no such account */
  retrain(account: string, options: RetrainOptions = {}): Promise<RetrainReport | undefined> {
    return this.#inTurn(async () => {
      const store = await this.#host.store.account(account)
      if (store === undefined) return undefined
      const report = await rebuildCorpus(store, this.#host.reader, { isOver: () => this.#isClosed, ...options })
      this.#note(account)
      return report
    })
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#stopWatching()
    this.#timer?.cancel()
    await this.#turn.catch(() => undefined)
  }

  #note(account: string): void {
    this.#due.add(account)
    this.#schedule(DELAY_MS)
  }

  #schedule(ms: number): void {
    if (this.#isClosed || this.#timer !== undefined) return
    this.#timer = this.#host.clock.timer(ms, () => {
      this.#timer = undefined
      void this.#inTurn(() => this.#settleDue())
    })
  }

  async #settleDue(): Promise<void> {
    for (const account of [...this.#due]) {
      if (this.#isClosed) return
      this.#due.delete(account)
      await turn()
      try {
        await this.#settle(account)
      } catch (error) {
        if (this.#isClosed) return
        this.#host.logger.error({ err: error, account }, 'What was judged could not be learned')
        this.#due.add(account)
      }
    }
    if (this.#due.size > 0) this.#schedule(RETRY_MS)
  }

  async #settle(account: string): Promise<void> {
    const { store, logger, reader } = this.#host
    const found = await store.account(account)
    if (found === undefined) return
    const { training } = found
    for (let stale = 0; !this.#isClosed && stale < MAX_STALE; ) {
      const { messages, upTo } = await training.waiting(BATCH_MESSAGES)
      if (messages.length === 0) return
      const { counted, isAll } = await this.#read(account, training, messages)
      const place = isAll ? upTo : await placeOf(training, messages.slice(0, counted.length))
      const result = place === undefined ? 'stale' : await training.settle(place, counted, READING)
      if (result === 'settled') {
        this.#tell(account, counted)
        stale = 0
      } else if (result === 'other-reading') {
        logger.warn({ account }, 'Words are read in another way than when they were learned: learning all messages anew')
        const report = await rebuildCorpus(found, reader, { isOver: () => this.#isClosed })
        logger.info({ account, ...report }, 'Learned all messages anew')
      } else {
        stale += 1
        if (stale === MAX_STALE) this.#due.add(account)
        // Not only newer judgements: what a crash left of a rebuild is in the way.
        if (stale > 1) await (await training.rebuild(READING)).abort()
      }
    }
  }

  /** Reads words until there are enough for one commit. @returns what is to be settled: the first of `messages` */
  async #read(account: string, training: AccountTraining, messages: readonly WaitingMessage[]): Promise<{ readonly counted: readonly CountedMessage[]; readonly isAll: boolean }> {
    const { isEnabled, reader } = this.#host
    const counted: CountedMessage[] = []
    let words = 0
    for (const { emailId, judged, counted: before } of messages) {
      if (words >= BATCH_WORDS) return { counted, isAll: false }
      const wanted = isEnabled(account) ? (judged ?? 'none') : undefined
      if (wanted === before || (before === undefined && wanted === 'none')) {
        counted.push({ emailId, before, counted: wanted, keys: NO_WORDS })
        continue
      }
      const octets = await training.octets(emailId, MAX_READ_OCTETS)
      const keys = octets === undefined ? NO_WORDS : await reader.keys(octets)
      words += keys.length / 2
      // One that is gone can't be learned; what was counted of it was taken out before, or its erasure waits for it.
      counted.push({ emailId, before, counted: octets === undefined ? before : wanted, keys })
      await turn()
    }
    return { counted, isAll: true }
  }

  #tell(account: string, counted: readonly CountedMessage[]): void {
    const changed = counted.filter(({ before, counted: now }) => before !== (now === 'none' ? undefined : now))
    if (changed.length === 0) return
    this.#host.trained({
      account,
      ham: changed.filter((each) => each.counted === 'ham').length,
      spam: changed.filter((each) => each.counted === 'spam').length,
      forgotten: changed.filter(({ before }) => before !== undefined).length,
    })
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(run, run)
    this.#turn = done.catch(() => undefined)
    return done
  }
}

/** Where the list goes on after some of its messages. @returns undefined when one of them was judged again meanwhile */
async function placeOf(training: AccountTraining, messages: readonly WaitingMessage[]): Promise<string | undefined> {
  const now = await training.waiting(messages.length)
  const isSame = messages.every(({ emailId, judged }, n) => now.messages[n]?.emailId === emailId && now.messages[n]?.judged === judged)
  return isSame ? now.upTo : undefined
}

/** Lets conversations go on between two messages. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
