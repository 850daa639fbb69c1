/** Failures a test asks for in advance: the next so many commands or messages get a reply of the test's choice. */
import type { Authenticator, Step } from '@postern/core/sasl'
import type { Reply, SmtpBackend, Verdict } from '@postern/smtp/server'

/** Where a failure strikes; `data` before the message is taken, `deliver` after. */
export type FailurePoint = 'connect' | 'auth' | 'mailFrom' | 'rcptTo' | 'data' | 'deliver'

/** What happens there: a reply; no answer at all until the server closes; or the connection is closed after a 421. */
export type ScriptedFailure = { readonly code: number; readonly enhanced?: string; readonly text: string } | 'timeout' | 'reset'

export class ScriptedFailures {
  readonly #waiting = new Map<FailurePoint, ScriptedFailure[]>()

  add(at: FailurePoint, failure: ScriptedFailure, times: number): void {
    const queue = this.#waiting.get(at) ?? []
    for (let i = 0; i < times; i += 1) queue.push(failure)
    this.#waiting.set(at, queue)
  }

  clear(): void {
    this.#waiting.clear()
  }

  /** The backend with what was asked for before it. */
  backend<B extends SmtpBackend>(inner: B): B {
    const refusal = (at: FailurePoint): Promise<Verdict> | undefined => {
      const failure = this.#take(at)
      return failure === undefined ? undefined : verdictFor(failure)
    }
    return {
      ...inner,
      connect: (peer) => refusal('connect') ?? inner.connect?.(peer) ?? { kind: 'accept' },
      mailFrom: (peer, mail) => refusal('mailFrom') ?? inner.mailFrom?.(peer, mail) ?? { kind: 'accept' },
      rcptTo: (peer, mail, recipient) => refusal('rcptTo') ?? inner.rcptTo(peer, mail, recipient),
      message: async (peer, envelope) => {
        const refused = await refusal('data')
        if (refused?.kind === 'refuse') return refused
        const failure = this.#take('deliver')
        if (failure === undefined) return inner.message(peer, envelope)
        return { kind: 'sink', sink: { write() {}, abort() {}, end: async () => replyOf(await verdictFor(failure)) } }
      },
    }
  }

  /** The authenticator with failed logins before it. */
  authenticator(inner: Authenticator): Authenticator {
    const failed = (): Step | undefined => (this.#take('auth') === undefined ? undefined : { kind: 'failed', reason: 'unavailable' })
    return {
      mechanisms: (tls) => inner.mechanisms(tls),
      start(mechanism) {
        const exchange = inner.start(mechanism)
        return exchange === undefined ? undefined : { respond: (message) => failed() ?? exchange.respond(message) }
      },
      verifyPassword: async (login, password) => {
        const step = failed()
        return step?.kind === 'failed' ? step : inner.verifyPassword(login, password)
      },
    }
  }

  #take(at: FailurePoint): ScriptedFailure | undefined {
    return this.#waiting.get(at)?.shift()
  }
}

function verdictFor(failure: ScriptedFailure): Promise<Extract<Verdict, { kind: 'refuse' }>> {
  if (failure === 'timeout') return new Promise(() => {})
  if (failure === 'reset') return Promise.resolve({ kind: 'refuse', close: true, reply: { code: 421, enhanced: '4.3.0', lines: ['Closing as the test asks'] } })
  const enhanced = failure.enhanced ?? `${Math.floor(failure.code / 100)}.0.0`
  return Promise.resolve({ kind: 'refuse', reply: { code: failure.code, enhanced, lines: [failure.text] } })
}

function replyOf(verdict: Extract<Verdict, { kind: 'refuse' }>): Reply {
  return verdict.reply
}
