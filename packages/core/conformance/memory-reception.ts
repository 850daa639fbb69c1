/** What an account of the memory double remembers of senders: everything, looked through at each call. */
import type { ArrivalCount, Correspondent, EmailId, Judgement, MailboxId, ReceptionFacts, SenderIdentity } from '../src/store/index.ts'
import { ARRIVALS_KEPT_SECONDS, judgedJunk, localpartNumber, MAX_JUDGEMENTS } from '../src/store/index.ts'

interface Received {
  readonly facts: ReceptionFacts
  /** Mailbox its judgement counts for. */
  origin: MailboxId
  /** Undefined: not judged. */
  junk: boolean | undefined
}

export class MemoryReception {
  readonly #received = new Map<EmailId, Received>()
  /** Last seconds by level and value. */
  readonly #written = new Map<string, number>()
  readonly #arrivals: ArrivalCount[] = []

  /** A message was stored in a mailbox. */
  received(emailId: EmailId, facts: ReceptionFacts, origin: MailboxId, sizeOctets: number, nowSeconds: number): void {
    this.#received.set(emailId, { facts, origin, junk: undefined })
    if (facts.network === undefined) return
    const seconds = nowSeconds - (nowSeconds % 60)
    const at = this.#arrivals.findIndex((each) => each.seconds === seconds && each.network === facts.network)
    const before = this.#arrivals[at] ?? { seconds, network: facts.network, messages: 0, octets: 0 }
    const count = { ...before, messages: before.messages + 1, octets: before.octets + sizeOctets }
    if (at < 0) this.#arrivals.push(count)
    else this.#arrivals[at] = count
  }

  /** A place of a message has these flags now. */
  judge(emailId: EmailId, flags: number): void {
    const received = this.#received.get(emailId)
    if (received !== undefined) received.junk = judgedJunk(flags)
  }

  /** A message went to another mailbox than the one it was kept in as a reject. */
  released(emailId: EmailId, mailboxOf: (name: string) => MailboxId | undefined): void {
    const received = this.#received.get(emailId)
    if (received?.facts.intendedMailbox === undefined) return
    received.origin = mailboxOf(received.facts.intendedMailbox) ?? received.origin
  }

  judgements(mailbox: MailboxId | undefined, { kind, value }: SenderIdentity): readonly Judgement[] {
    const found = [...this.#received].filter(
      ([, { facts, origin, junk }]) => junk !== undefined && origin === mailbox && facts.identities.some((each) => each.kind === kind && each.value === value),
    )
    // Of those that came in the same second the one stored last is the newest.
    found.sort(([a, { facts: first }], [b, { facts: second }]) => second.receivedSeconds - first.receivedSeconds || b - a)
    return found.slice(0, MAX_JUDGEMENTS).map(([, { facts, junk }]) => ({
      receivedSeconds: facts.receivedSeconds,
      junk: junk === true,
      validated: facts.validated,
      localpart: localpartNumber(facts.fromLocalpart),
    }))
  }

  lastWroteTo({ level, value }: Correspondent): number | undefined {
    return this.#written.get(`${level} ${value}`)
  }

  wroteTo(correspondents: readonly Correspondent[], seconds: number): void {
    for (const { level, value } of correspondents) {
      const key = `${level} ${value}`
      this.#written.set(key, Math.max(seconds, this.#written.get(key) ?? 0))
    }
  }

  arrivals(sinceSeconds: number, nowSeconds: number): readonly ArrivalCount[] {
    const kept = this.#arrivals.filter(({ seconds }) => seconds >= sinceSeconds && seconds >= nowSeconds - ARRIVALS_KEPT_SECONDS)
    return kept.sort((a, b) => a.seconds - b.seconds || (a.network < b.network ? -1 : 1))
  }
}
