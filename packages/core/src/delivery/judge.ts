/**
 * Judges a message for one destination: limits, rulesets, what the account remembers of the sender, then the decision.
 * Stores nothing. Not here: what holds for all recipients (receive.ts), and how facts become a verdict (core/analysis).
 */
import type { ForwardPath } from '../address/index.ts'
import {
  checkSubjectPass,
  createSubjectPass,
  decide,
  defaultDecisionPolicy,
  readHistory,
  reputationOf,
  type Evidence,
  type MessageEvidence,
  type Reason,
  type Signal,
} from '../analysis/index.ts'
import type { AccountSettings, Destination, RulesetSubject } from '../directory/index.ts'
import type { AccountStore, SpooledMessage } from '../store/index.ts'
import type { Deadline } from './analyse.ts'
import type { ReceiveHost } from './receive-host.ts'
import { noSuchMailbox, refusalOf, type Refusal } from './refusal.ts'
import { subjectPassKey } from './subject-pass-keys.ts'

/** A destination with all of its recipients in one transaction. */
export interface Share {
  readonly destination: Destination
  /** At least one. */
  readonly recipients: readonly ForwardPath[]
}

/** What is to be done for one destination. */
export type Finding =
  | {
      readonly kind: 'deliver'
      readonly share: Share
      readonly account: AccountStore
      readonly mailbox: string
      readonly reason: Reason
      readonly signals: readonly Signal[]
      /** The report in it is to be stored. */
      readonly report: boolean
    }
  | {
      readonly kind: 'refuse'
      readonly share: Share
      /** Undefined: it is gone. */
      readonly account: AccountStore | undefined
      /** Where it would have gone. */
      readonly mailbox: string
      readonly refusal: Refusal
      readonly signals: readonly Signal[]
      /** It may be kept among the rejects. */
      readonly keep: boolean
    }

export interface JudgedMessage {
  readonly message: SpooledMessage
  readonly evidence: MessageEvidence
  readonly subject: RulesetSubject
  readonly remoteAddress: string | undefined
  readonly receivedSeconds: number
  readonly deadline: Pick<Deadline, 'signal'>
}

/** What speaks for a message that nothing is asked about. */
const TRUSTED: readonly Signal[] = [{ name: 'trusted', value: 'by the host', weight: -1 }]

/** Rejects with `StoreError` or what a classifier threw: then there is no verdict, and the sender comes back. */
export async function judge(share: Share, judged: JudgedMessage, host: ReceiveHost): Promise<Finding> {
  const { destination } = share
  const { message, evidence, remoteAddress, receivedSeconds } = judged
  const account = await host.store.account(destination.account)
  const settings = host.directory.settingsOf(destination.account)
  const refuse = (refusal: Refusal, mailbox = destination.mailbox, signals: readonly Signal[] = [], keep = false): Finding => ({
    kind: 'refuse',
    share,
    account,
    mailbox,
    refusal,
    signals,
    keep,
  })
  if (account === undefined || settings === undefined) {
    // It went between RCPT and the end of the data.
    return refuse(noSuchMailbox)
  }
  const over = evidence.trusted ? undefined : await host.arrivals.check(account, remoteAddress, message.sizeOctets, receivedSeconds)
  if (over !== undefined) {
    const text = `Too many ${over.what} from ${over.network} in a ${over.window}, at most ${over.limit}`
    return refuse({ code: 452, enhanced: '4.2.2', text, reason: 'rate', slow: true })
  }
  const ruleset = destination.rulesets.find((each) => each.matches(judged.subject))
  const mailbox = ruleset?.mailbox ?? destination.mailbox
  const report = destination.reports !== undefined && (await host.reports?.recognises(destination.reports, message, evidence)) === true
  if (evidence.trusted) return { kind: 'deliver', share, account, mailbox, reason: 'trusted', signals: TRUSTED, report }
  const history = await readHistory(account, mailbox, evidence.sender)
  const facts: Evidence = {
    mailFromSpf: evidence.mailFromSpf,
    dmarc: evidence.dmarc,
    reverseName: evidence.reverseName,
    tls: evidence.tls,
    named: undefined,
    listAllowed: isListAllowed(ruleset?.listAllowDomain, evidence),
    report,
    reputation: reputationOf(history, evidence.sender.validated, receivedSeconds),
    subjectPass: await readSubjectPass(destination, settings, judged, host),
    content: host.classifier === undefined ? 'none' : undefined,
    blockLists: host.blockLists === undefined || remoteAddress === undefined ? [] : undefined,
  }
  const verdict = await settle(facts, share, judged, settings, host)
  const { reason, signals } = verdict
  if (verdict.kind === 'accept') return { kind: 'deliver', share, account, mailbox, reason, signals, report }
  const pass = verdict.tell === 'pass' ? await makeSubjectPass(destination, judged, host) : undefined
  return refuse(refusalOf(reason, verdict.tell, pass), mailbox, signals, true)
}

/** Exactly the domain must have signed, or SPF have passed for it as that of the reverse-path: a name in EHLO is no list. */
function isListAllowed(domain: string | undefined, { sender }: MessageEvidence): boolean {
  return domain !== undefined && (sender.dkimDomains.includes(domain) || sender.mailFrom?.domain.unicode === domain)
}

/** Decides, learning what the verdict hangs on when it is asked for. */
async function settle(given: Evidence, share: Share, judged: JudgedMessage, settings: AccountSettings, host: ReceiveHost): Promise<Exclude<ReturnType<typeof decide>, { kind: 'ask' }>> {
  const { message, remoteAddress, deadline } = judged
  const jitter = host.random(2).reduce((sum, octet) => sum * 256 + octet, 0) / 32_768 - 1
  let evidence = given
  for (;;) {
    const usual = typeof evidence.content === 'object' ? evidence.content.threshold : undefined
    const policy = { ...defaultDecisionPolicy, junkThreshold: settings.junkThreshold ?? usual ?? defaultDecisionPolicy.junkThreshold }
    const outcome = decide(evidence, jitter, policy)
    if (outcome.kind !== 'ask') return outcome
    const [content, blockLists] = await Promise.all([
      outcome.facts.includes('content') ? host.classifier?.classify(share.destination.account, message, { signal: deadline.signal }) : evidence.content,
      outcome.facts.includes('blockLists') ? host.blockLists?.(remoteAddress ?? '', deadline.signal) : evidence.blockLists,
    ])
    evidence = { ...evidence, named: isNamed(share, judged), content: content ?? 'none', blockLists: blockLists ?? [] }
  }
}

/** Someone without a domain, or at a host named by number, is never in To. */
function isNamed({ recipients }: Share, { evidence }: JudgedMessage): boolean {
  return recipients.some((path) => path.kind !== 'address' || evidence.header.names(path.address))
}

async function readSubjectPass(destination: Destination, settings: AccountSettings, { evidence, receivedSeconds }: JudgedMessage, host: ReceiveHost): Promise<Evidence['subjectPass']> {
  const { from } = evidence.sender
  // Without one author there is nobody to give a pass to.
  if (settings.subjectPassSeconds === 0 || from === undefined) return undefined
  if (!evidence.header.subject.includes('(pass:')) return 'absent'
  const key = await subjectPassKey(host.store, destination.account, destination.key, host.random)
  return checkSubjectPass(evidence.header.subject, key, passName(from), receivedSeconds, settings.subjectPassSeconds)
}

async function makeSubjectPass(destination: Destination, { evidence, receivedSeconds }: JudgedMessage, host: ReceiveHost): Promise<string> {
  const { from } = evidence.sender
  if (from === undefined) throw new Error('A subject pass needs an author')
  return createSubjectPass(await subjectPassKey(host.store, destination.account, destination.key, host.random), passName(from), receivedSeconds)
}

function passName({ localpart, domain }: { readonly localpart: string; readonly domain: { readonly ascii: string } }): string {
  return `${localpart}@${domain.ascii}`
}
