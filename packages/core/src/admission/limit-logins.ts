/** Holds logins from a network to a limit of failures, whatever protocol they come by. */
import type { Authenticator, FinalStep, ServerExchange, Step } from '../sasl/index.ts'
import type { NetworkLimiter } from './limiter.ts'

/**
 * The authenticator as one connection may use it: beyond the limit no password is looked at any more, and the client
 * hears the same as when the server has too much to do. A good login takes back what its address failed before.
 */
export function limitLogins(
  authenticator: Authenticator,
  limiter: NetworkLimiter,
  connection: { readonly remoteAddress: string | undefined; readonly nowMs: () => number; readonly onLimited?: () => void },
): Authenticator {
  const { remoteAddress, nowMs, onLimited } = connection
  const busy: FinalStep = { kind: 'failed', reason: 'busy' }
  const hasRoom = (): boolean => {
    const room = limiter.canAdd(remoteAddress, nowMs())
    if (!room) onLimited?.()
    return room
  }
  function note<S extends Step>(step: S): S {
    if (step.kind === 'authenticated') limiter.reset(remoteAddress, nowMs())
    else if (step.kind === 'failed' && step.reason !== 'busy' && step.reason !== 'unavailable') limiter.add(remoteAddress, nowMs())
    return step
  }
  return {
    mechanisms: (tls) => authenticator.mechanisms(tls),
    start(mechanism): ServerExchange | undefined {
      const exchange = authenticator.start(mechanism)
      if (exchange === undefined) return undefined
      return {
        respond(message) {
          if (!hasRoom()) return busy
          const step = exchange.respond(message)
          return step instanceof Promise ? step.then(note) : note(step)
        },
      }
    },
    async verifyPassword(login, password) {
      return hasRoom() ? note(await authenticator.verifyPassword(login, password)) : busy
    },
  }
}
