/** What is looked up about a sender while the envelope comes: his host, his domain, and whether he may name several recipients. */
import type { ReversePath } from '@postern/core/address'
import type { Refusal } from '@postern/core/delivery'
import type { Clock, Resolver, Timer } from '@postern/core/host'
import { checkSenderDomain, checkSpf, hasAddress } from '@postern/core/provenance'
import type { MailParameters, SmtpPeer } from '@postern/smtp/server'

export interface SenderChecks {
  /** Asked before each transaction. @returns why not, if so */
  helo(peer: SmtpPeer, signal: AbortSignal): Promise<Refusal | undefined>
  mailFrom(reversePath: ReversePath, signal: AbortSignal): Promise<Refusal | undefined>
  /** Asked from the second recipient of a transaction on. */
  furtherRecipient(peer: SmtpPeer, mail: MailParameters, signal: AbortSignal): Promise<Refusal | undefined>
}

/** For each look-up. */
const LOOK_UP_MS = 60_000

export function createSenderChecks(host: { readonly resolver: Resolver; readonly clock: Clock; readonly hostname: string }): SenderChecks {
  const { resolver, clock, hostname } = host
  /** By transaction; the answer for its third recipient is that for its second. */
  const mayNameMore = new WeakMap<MailParameters, Promise<boolean>>()
  /** By peer, which is another value once he greets anew. */
  const greetedAs = new WeakMap<SmtpPeer, Promise<'yes' | 'no' | 'unknown' | undefined>>()

  return {
    async helo(peer, signal) {
      const { helo, extended } = peer
      // RFC 5321 §4.1.4: a name in EHLO must not be held against anybody. What still says HELO is rarely a mail server,
      // and then under its own name.
      if (extended || helo === undefined || helo.startsWith('[')) return undefined
      let found = greetedAs.get(peer)
      if (found === undefined) greetedAs.set(peer, (found = withTimeLimit(clock, () => hasAddress(helo, resolver, { signal }))))
      if ((await found) !== 'no') return undefined
      return { code: 550, enhanced: '5.5.0', text: 'The name given in HELO has no address', reason: 'helo', slow: false }
    },

    async mailFrom(reversePath, signal) {
      if (reversePath.kind === 'null') return undefined
      if (reversePath.kind === 'literal') {
        return { code: 550, enhanced: '5.7.0', text: 'Senders at an address literal are not taken', reason: 'sender-domain', slow: false }
      }
      const result = await withTimeLimit(clock, () => checkSenderDomain(reversePath.address.domain.ascii, { resolver, signal }))
      switch (result) {
        case 'pass':
          return undefined
        case 'null-mx':
          return { code: 550, enhanced: '5.7.27', text: 'The sender\'s domain takes no mail (RFC 7505)', reason: 'sender-domain', slow: false }
        case 'no-host':
          return { code: 550, enhanced: '5.7.27', text: 'The sender\'s domain has no host that takes mail', reason: 'sender-domain', slow: false }
        default:
          return { code: 451, enhanced: '4.4.0', text: 'The sender\'s domain can not be looked up for now', reason: 'sender-domain', slow: false }
      }
    },

    async furtherRecipient(peer, mail, signal) {
      const { reversePath } = mail
      const tooMany: Refusal = { code: 452, enhanced: '4.5.3', text: 'One recipient at a time from this sender', reason: 'recipients', slow: false }
      const { remoteAddress } = peer.connection
      if (reversePath.kind !== 'address' || remoteAddress === undefined) return tooMany
      const { localpart, domain } = reversePath.address
      let allowed = mayNameMore.get(mail)
      if (allowed === undefined) {
        allowed = withTimeLimit(clock, async () => {
          const spf = await checkSpf({ ip: remoteAddress, helo: peer.helo ?? '', mailFrom: { localpart, domain: domain.ascii }, hostname }, { resolver, signal })
          return spf.result === 'pass'
        }).then((passed) => passed === true)
        mayNameMore.set(mail, allowed)
      }
      return (await allowed) ? undefined : tooMany
    },
  }
}

/** What takes longer is left to its end: resolvers have limits of their own. @returns undefined when the time was over */
async function withTimeLimit<T>(clock: Clock, run: () => Promise<T>): Promise<T | undefined> {
  let timer: Timer | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = clock.timer(LOOK_UP_MS, () => resolve(undefined))
  })
  try {
    return await Promise.race([run(), late])
  } finally {
    timer?.cancel()
  }
}
