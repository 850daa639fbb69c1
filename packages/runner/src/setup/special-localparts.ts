/**
 * Localparts that make the development server fail on purpose, so that a client's handling can be tried: a recipient ending
 * in `temperror` gets 451, in `permerror` 550, in three digits 400 to 599 that code, in `timeout` an hour's wait and 451.
 * A sender beginning `mailfrom` fails so at MAIL FROM, a recipient beginning `rcptto` at RCPT TO; others after the data.
 */
import type { ForwardPath, ReversePath } from '@postern/core/address'
import { sleep, type Clock, type OctetSink } from '@postern/core/host'
import type { Reply, SmtpBackend, Verdict } from '@postern/smtp/server'

const HOUR_MS = 3_600_000

type Failure = { readonly kind: 'code'; readonly code: number } | { readonly kind: 'timeout' }

/** @returns how that localpart wants to fail, or undefined when it is an ordinary one */
export function failureOf(localpart: string): Failure | undefined {
  const lower = localpart.toLowerCase()
  if (lower.endsWith('temperror')) return { kind: 'code', code: 451 }
  if (lower.endsWith('permerror')) return { kind: 'code', code: 550 }
  if (lower.endsWith('timeout')) return { kind: 'timeout' }
  const digits = /(?<!\d)[45]\d\d$/.exec(lower)
  return digits === null ? undefined : { kind: 'code', code: Number(digits[0]) }
}

/** The backend with failures by localpart before it. */
export function withSpecialLocalparts<B extends SmtpBackend>(backend: B, clock: Clock): B {
  return {
    ...backend,
    async mailFrom(peer, mail) {
      const localpart = localpartOf(mail.reversePath)
      const failure = localpart.toLowerCase().startsWith('mailfrom') ? failureOf(localpart) : undefined
      if (failure !== undefined) return refusalFor(failure, clock)
      return (await backend.mailFrom?.(peer, mail)) ?? { kind: 'accept' }
    },
    async rcptTo(peer, mail, recipient) {
      const localpart = localpartOf(recipient)
      const failure = localpart.toLowerCase().startsWith('rcptto') ? failureOf(localpart) : undefined
      if (failure !== undefined) return refusalFor(failure, clock)
      return backend.rcptTo(peer, mail, recipient)
    },
    async message(peer, envelope) {
      const failure = envelope.recipients.map((recipient) => failureOf(localpartOf(recipient))).find((found) => found !== undefined)
      if (failure === undefined) return backend.message(peer, envelope)
      return { kind: 'sink', sink: failingSink(failure, clock) }
    },
  }
}

function localpartOf(path: ReversePath | ForwardPath): string {
  if (path.kind === 'address') return path.address.localpart
  return path.kind === 'literal' ? path.localpart : ''
}

async function replyFor(failure: Failure, clock: Clock): Promise<Reply> {
  if (failure.kind === 'timeout') await sleep(clock, HOUR_MS)
  const code = failure.kind === 'timeout' ? 451 : failure.code
  return { code, enhanced: `${Math.floor(code / 100)}.0.0`, lines: ['Failing as the address asks'] }
}

async function refusalFor(failure: Failure, clock: Clock): Promise<Verdict> {
  return { kind: 'refuse', reply: await replyFor(failure, clock) }
}

/** Takes the message, keeps nothing, and fails. */
function failingSink(failure: Failure, clock: Clock): OctetSink<Reply> {
  return {
    write() {},
    abort() {},
    end: () => replyFor(failure, clock),
  }
}
