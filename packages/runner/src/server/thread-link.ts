/**
 * Questions and answers between two threads. What is said within one turn of the loop goes over together, up to a few: a
 * crossing costs more than what it carries, but whoever waits for the first answer should not wait for the last.
 * Not here: what is asked, and who runs the thread.
 */

/** What one side may ask of the other: by name, what goes over and what comes back. Both must be of what can be cloned. */
export type Calls = Readonly<Record<string, { readonly asked: unknown; readonly answer: unknown }>>

export type Handlers<C extends Calls> = { readonly [K in keyof C]: (asked: C[K]['asked']) => C[K]['answer'] | Promise<C[K]['answer']> }

/** Buffers in `transfer` are handed over and are empty here afterwards. */
export type Post = (packet: Packet, transfer: readonly ArrayBuffer[]) => void

export type Packet = readonly Said[]

type Said =
  | { readonly kind: 'ask'; readonly id: number; readonly name: string; readonly asked: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly error: string }

/** Said together at most. */
const MAX_TOGETHER = 8

interface Open {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

export class ThreadLink<Asked extends Calls, Heard extends Calls> {
  readonly #post: Post
  readonly #handlers: Partial<Handlers<Heard>>
  readonly #open = new Map<number, Open>()
  #lastId = 0
  #said: Said[] = []
  #isDue = false
  #transfer: ArrayBuffer[] = []

  /** @param handlers looked up when a question comes */
  constructor(post: Post, handlers: Partial<Handlers<Heard>>) {
    this.#post = post
    this.#handlers = handlers
  }

  /** Questions without an answer yet. */
  get pending(): number {
    return this.#open.size
  }

  /** Rejects with an `Error` that has the text of what the handler threw, and with what `fail` is given. */
  ask<K extends keyof Asked & string>(name: K, asked: Asked[K]['asked'], transfer: readonly ArrayBuffer[] = []): Promise<Asked[K]['answer']> {
    return new Promise((resolve, reject) => {
      const id = (this.#lastId += 1)
      this.#open.set(id, { resolve, reject })
      this.#say({ kind: 'ask', id, name, asked }, transfer)
    })
  }

  /** Takes what the other side posted. */
  heard(packet: Packet): void {
    for (const said of packet) {
      if (said.kind === 'ask') {
        this.#answer(said.id, said.name, said.asked)
        continue
      }
      this.#settle(said.id, (open) => (said.kind === 'answer' ? open.resolve(said.answer) : open.reject(new Error(said.error))))
    }
  }

  /** The other side is gone: rejects what waits for it. */
  fail(error: unknown): void {
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
  }

  #answer(id: number, name: string, asked: unknown): void {
    const handler = this.#handlers[name] as ((asked: unknown) => unknown) | undefined
    const failed = (error: unknown): void => this.#say({ kind: 'failure', id, error: error instanceof Error ? error.message : String(error) })
    if (handler === undefined) return failed(`Nobody answers ${name}`)
    try {
      const answer = handler(asked)
      if (answer instanceof Promise) answer.then((settled: unknown) => this.#say({ kind: 'answer', id, answer: settled }), failed)
      else this.#say({ kind: 'answer', id, answer })
    } catch (error) {
      failed(error)
    }
  }

  #say(said: Said, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#said.length === 0 && !this.#isDue) {
      this.#isDue = true
      setImmediate(() => {
        this.#isDue = false
        this.#flush()
      })
    }
    this.#said.push(said)
    this.#transfer.push(...transfer)
    if (this.#said.length === MAX_TOGETHER) this.#flush()
  }

  #flush(): void {
    const packet = this.#said
    if (packet.length === 0) return
    const transfer = this.#transfer
    this.#said = []
    this.#transfer = []
    try {
      this.#post(packet, transfer)
    } catch (error) {
      // Something in it can't be cloned; whose it was can't be told.
      for (const { kind, id } of packet) {
        if (kind === 'ask') this.#settle(id, (open) => open.reject(error))
        else this.#say({ kind: 'failure', id, error: String(error) })
      }
    }
  }

  #settle(id: number, settle: (open: Open) => void): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    settle(open)
  }
}
