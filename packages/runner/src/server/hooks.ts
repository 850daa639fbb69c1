/**
 * Hooks: functions of the host application that are asked while mail comes in and may change the outcome. Each has its
 * own time limit and its own rule for what happens when it fails, so that no hook can hold up or lose mail unseen.
 */
import type { DeliverContext, HookDecision, MessageContext } from '@postern/core/delivery'
import type { AnalysisSummary, Signal } from '@postern/core/analysis'
import { formatPath, type ForwardPath, type ReversePath } from '@postern/core/address'
import type { Clock, Logger } from '@postern/core/host'
import { readAll } from './read-message.ts'
import type { EventHub } from './events.ts'

/** Same as the receive flow's, so that a host application needs no other import. */
export type Decision = HookDecision

/** What happens when a hook throws, decides something that is no decision, or takes too long. */
export type FailRule = 'tempfail' | 'reject' | 'continue'

export interface HookPolicy {
  /** Milliseconds; default 10,000. */
  readonly timeout?: number
  /** Default `tempfail`: the sender comes back. */
  readonly onError?: FailRule
  /** Default as `onError`. */
  readonly onTimeout?: FailRule
  /** Lower ones are asked first; default 0, then in the order given. */
  readonly order?: number
}

export type HookFunction<C, R> = (context: C) => R | void | Promise<R | void>
/** A function, or one with a policy of its own. */
export type Hook<C, R = Decision> = HookFunction<C, R> | ({ readonly run: HookFunction<C, R> } & HookPolicy)

/** What is known of the conversation. */
export interface SessionContext {
  /** Id of the connection, as in logs, events and replies. */
  readonly id: string
  readonly protocol: 'smtp'
  readonly remoteAddress: string | undefined
  readonly tls: { readonly protocol: string; readonly cipher: string } | undefined
  readonly helo: string | undefined
  /** Kept for this connection from hook to hook. */
  readonly notes: Map<string | symbol, unknown>
  /** Aborted when the hook's time is over. */
  readonly signal: AbortSignal
}

export interface HookEnvelope {
  /** Address, or null for the null reverse-path. */
  readonly from: string | null
  readonly to: readonly string[]
}

/** A message as hooks see it. */
export interface ReceivedMessage {
  readonly sizeOctets: number
  /** Names and values in order. */
  headers(): readonly (readonly [name: string, value: string])[]
  /** All octets, as they came. */
  open(): AsyncIterable<Uint8Array>
}

export interface MessageHookContext extends SessionContext {
  readonly envelope: HookEnvelope
  readonly message: ReceivedMessage
  readonly analysis: AnalysisSummary
}

export interface DeliverHookContext extends MessageHookContext {
  readonly account: string
  /** Where the message is about to go. */
  readonly mailbox: string
  /** Why it is wanted, and everything that spoke for and against it. */
  readonly reason: string
  readonly signals: readonly Signal[]
}

export type FileDecision = { readonly action: 'file'; readonly mailbox: string; readonly flags?: readonly string[] }

export interface Hooks {
  /** For logs. */
  readonly name?: string
  /** A client connected; nothing was said yet. */
  readonly connect?: Hook<SessionContext>
  readonly mailFrom?: Hook<SessionContext & { readonly from: string | null }>
  /** `known`: there is such an address here. `accept` takes the recipient only when it is. */
  readonly rcptTo?: Hook<SessionContext & { readonly from: string | null; readonly to: string; readonly known: boolean }>
  /** Once for each message, after its sender was looked into. */
  readonly message?: Hook<MessageHookContext>
  /** For each account a message is about to be stored for. */
  readonly deliver?: Hook<DeliverHookContext, Decision | FileDecision>
}

type Step = Exclude<keyof Hooks, 'name'>
type ContextOf<S extends Step> = NonNullable<Hooks[S]> extends Hook<infer C, infer _R> ? C : never
type ResultOf<S extends Step> = S extends 'deliver' ? Decision | FileDecision : Decision

const DEFAULT_TIMEOUT_MS = 10_000

export interface HookHost {
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub
  /** Told how each asking went; `late` and `failed` are decided by the hook's rules. */
  readonly hookAsked?: ((step: string, outcome: HookOutcome, durationMs: number) => void) | undefined
}

export type HookOutcome = Decision['action'] | FileDecision['action'] | 'late' | 'failed'

interface Asked {
  readonly step: Step
  readonly name: string
  readonly run: HookFunction<never, Decision | FileDecision>
  readonly policy: HookPolicy
}

/** Asks hooks one after another until one decides. */
export class HookRunner {
  readonly #asked = new Map<Step, readonly Asked[]>()
  readonly #host: HookHost

  constructor(hooks: readonly Hooks[], host: HookHost) {
    this.#host = host
    for (const step of ['connect', 'mailFrom', 'rcptTo', 'message', 'deliver'] as const) {
      const asked = hooks.flatMap((each, at): Asked[] => {
        const hook = each[step] as Hook<never, Decision | FileDecision> | undefined
        if (hook === undefined) return []
        const name = `${each.name ?? `hooks[${at}]`}.${step}`
        return [typeof hook === 'function' ? { step, name, run: hook, policy: {} } : { step, name, run: (context) => hook.run(context), policy: hook }]
      })
      this.#asked.set(step, asked.sort((a, b) => (a.policy.order ?? 0) - (b.policy.order ?? 0)))
    }
  }

  /** Whether there is anybody to ask. */
  has(step: Step): boolean {
    return (this.#asked.get(step)?.length ?? 0) > 0
  }

  async ask<S extends Step>(step: S, context: Omit<ContextOf<S>, 'signal'> & Pick<SessionContext, 'id'>): Promise<ResultOf<S>> {
    for (const hook of this.#asked.get(step) ?? []) {
      const decision = await this.#askOne(hook, context)
      if (decision.action === 'continue') continue
      this.#host.logger.debug({ hook: hook.name, id: context.id, ...decision }, 'Hook decided')
      return decision as ResultOf<S>
    }
    return { action: 'continue' }
  }

  async #askOne({ step, name, run, policy }: Asked, context: { readonly id: string }): Promise<Decision | FileDecision> {
    const { clock, logger, events } = this.#host
    const late = new AbortController()
    const limit = policy.timeout ?? DEFAULT_TIMEOUT_MS
    const began = clock.monotonic()
    let outcome: HookOutcome = 'failed'
    let timer: { cancel(): void } | undefined
    const timeout = new Promise<'late'>((resolve) => {
      timer = clock.timer(limit, () => resolve('late'))
    })
    try {
      const decided = Promise.resolve(run({ ...context, signal: late.signal } as never))
      // A hook that fails after its time has nobody to tell.
      decided.catch(() => {})
      const decision = await Promise.race([decided, timeout])
      if (decision !== 'late') {
        const checked = checkDecision(decision ?? undefined, step)
        outcome = checked.action
        return checked
      }
      outcome = 'late'
      late.abort(new Error(`Hook ${name} took longer than ${limit} ms`))
      logger.warn({ hook: name, id: context.id, limit }, 'Hook took too long')
      return failed(policy.onTimeout ?? policy.onError)
    } catch (error) {
      events.emit('error', { error, where: `hook ${name}` })
      return failed(policy.onError)
    } finally {
      timer?.cancel()
      this.#host.hookAsked?.(step, outcome, clock.monotonic() - began)
    }
  }
}

const ACTIONS: ReadonlySet<unknown> = new Set<Decision['action']>(['continue', 'accept', 'reject', 'tempfail', 'disconnect', 'discard'])
const CODES = { reject: [500, 599], tempfail: [400, 499], disconnect: [400, 599] } as const

/**
 * What a hook answered, if that is a decision it may make. A refusal with a code of success would lose mail.
 * @throws TypeError for what is none: the hook has failed
 */
function checkDecision(answer: Decision | FileDecision | undefined, step: Step): Decision | FileDecision {
  if (answer === undefined) return { action: 'continue' }
  if (answer.action === 'file' && step === 'deliver' && typeof answer.mailbox === 'string') return answer
  if (answer.action === 'file' || !ACTIONS.has(answer.action)) throw new TypeError(`Not a decision at ${step}: ${JSON.stringify(answer)}`)
  if (answer.action !== 'reject' && answer.action !== 'tempfail' && answer.action !== 'disconnect') return answer
  const [least, most] = CODES[answer.action]
  const { code, text } = answer
  if (code !== undefined && !(Number.isInteger(code) && code >= least && code <= most)) throw new TypeError(`Code ${code} is none for ${answer.action}`)
  const enhanced = answer.action === 'disconnect' ? undefined : answer.enhanced
  if (enhanced !== undefined && !(/^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced) && enhanced.startsWith(String(Math.floor(least / 100))))) {
    throw new TypeError(`Enhanced code ${enhanced} is none for ${answer.action}`)
  }
  // What is said to the peer is one line.
  return text === undefined ? answer : { ...answer, text: String(text).replaceAll(/\p{Cc}+/gu, ' ') }
}

function failed(rule: FailRule = 'tempfail'): Decision {
  return rule === 'continue' ? { action: 'continue' } : { action: rule, text: rule === 'reject' ? 'Refused by policy' : 'Not now, try again later' }
}

export function envelopeOf(reversePath: ReversePath, recipients: readonly ForwardPath[]): HookEnvelope {
  return { from: pathText(reversePath), to: recipients.map((path) => pathText(path) ?? '') }
}

/** Without brackets, domains in Unicode; null for the null path. */
export function pathText(path: ReversePath | ForwardPath): string | null {
  return path.kind === 'null' ? null : formatPath(path, { utf8: true }).slice(1, -1)
}

/** What message and deliver hooks have in common. */
export function messageContext({ reception, message, evidence }: MessageContext | DeliverContext, session: Omit<SessionContext, 'signal'>): Omit<MessageHookContext, 'signal'> {
  return {
    ...session,
    envelope: envelopeOf(reception.reversePath, reception.recipients),
    message: { sizeOctets: message.sizeOctets, headers: () => evidence.header.fields(), open: () => readAll(message) },
    analysis: evidence.summary,
  }
}
