/** The end of the receive flow: shares of a message into mailboxes, or copies of it among the rejects. */
import type { ForwardPath } from '../address/index.ts'
import { receptionFacts, type MessageEvidence } from '../analysis/index.ts'
import { Flag, type AccountStore, type FlagSet, type ModSeq, type NewMessage, type SpooledMessage, type Uid } from '../store/index.ts'
import { fileMessage, flagSetOf } from './file-message.ts'
import { refusalByHook } from './hooks.ts'
import type { Finding } from './judge.ts'
import type { ReceiveHost } from './receive-host.ts'
import type { Reception } from './reception.ts'
import type { Refusal } from './refusal.ts'
import { keepReject } from './rejects.ts'
import { formatTraceFields, type StampedHeader } from './trace-fields.ts'

/** A message with all that is the same for its recipients. */
export interface Incoming {
  readonly message: SpooledMessage
  readonly reception: Reception
  readonly evidence: MessageEvidence
  readonly stamped: StampedHeader
}

/** What became of one account's share. */
export interface Delivery {
  readonly account: string
  readonly mailbox: string
  readonly uid: Uid
  readonly modseq: ModSeq
  /** Keyword of what the decision rested on. */
  readonly reason: string
}

/** What is stored for one account in one mailbox. */
export interface Plan {
  readonly finding: Extract<Finding, { kind: 'deliver' }>
  readonly mailbox: string
  readonly flags: readonly string[]
  readonly refusal?: Refusal
  /** The conversation ends with it. */
  readonly close: boolean
  readonly discard: boolean
}

/** Asks the host application where a share is to go, and whether. */
export async function askDeliverHook(finding: Extract<Finding, { kind: 'deliver' }>, incoming: Incoming, host: ReceiveHost): Promise<Plan> {
  const { message, reception, evidence } = incoming
  const { account, mailbox, reason, signals } = finding
  const decision = (await host.deliverHook?.({ reception, message, evidence, account: account.name, mailbox, reason, signals })) ?? { action: 'continue' }
  if (decision.action === 'file') return { finding, mailbox: decision.mailbox, flags: decision.flags ?? [], close: false, discard: false }
  const refusal = refusalByHook(decision)
  return { finding, mailbox, flags: [], close: decision.action === 'disconnect', discard: decision.action === 'discard', ...(refusal === undefined ? {} : { refusal }) }
}

/** One copy for each mailbox of an account, in one commit each. */
export async function deliverAll(plans: readonly Plan[], incoming: Incoming, host: ReceiveHost): Promise<readonly Delivery[]> {
  const byMailbox = new Map<string, Plan[]>()
  for (const plan of plans) {
    if (plan.discard) continue
    const key = `${plan.finding.account.name}\0${plan.mailbox}`
    const same = byMailbox.get(key)
    if (same === undefined) byMailbox.set(key, [plan])
    else same.push(plan)
  }
  return (await Promise.all(Array.from(byMailbox.values(), (same) => deliverOne(same, incoming, host)))).flat()
}

/** @param plans for one mailbox of one account */
async function deliverOne([first, ...others]: readonly Plan[], incoming: Incoming, host: ReceiveHost): Promise<readonly Delivery[]> {
  if (first === undefined) return []
  const { message, reception, evidence } = incoming
  const { account, reason, share } = first.finding
  let { recipients } = share
  let { flags } = first
  // Whichever of its addresses is there for the report in it.
  let reports = first.finding.report ? share.destination.reports : undefined
  for (const { finding, flags: more } of others) {
    recipients = [...recipients, ...finding.share.recipients]
    flags = [...flags, ...more]
    if (finding.report) reports ??= finding.share.destination.reports
  }
  const { flags: named, keywords } = flagSetOf(flags)
  const mail = newMessage(incoming, recipients, reason, { flags: reports === undefined ? named : named | Flag.seen, keywords })
  const stored = await fileMessage(account, first.mailbox, mail)
  // The message is durable: whatever else fails, to have it sent again would only make it two.
  const { remoteAddress } = reception.connection
  const receivedSeconds = Math.floor(reception.receivedAt / 1_000)
  if (!evidence.trusted) await afterwards(host, account, () => host.arrivals.stored(account, remoteAddress, message.sizeOctets, receivedSeconds))
  await afterwards(host, account, () => forgetRejects(account, evidence, host))
  if (reports !== undefined) await afterwards(host, account, async () => host.reports?.store(reports, message, evidence))
  return [{ account: account.name, mailbox: stored.mailbox, uid: stored.uid, modseq: stored.modseq, reason }]
}

function newMessage(incoming: Incoming, recipients: readonly ForwardPath[], reason: string, { flags, keywords }: FlagSet, intendedMailbox?: string): NewMessage {
  const { message, reception, evidence, stamped } = incoming
  const fields = formatTraceFields(reception, {
    hostname: stamped.hostname,
    // With several, each would learn of the others.
    recipient: recipients.length === 1 ? recipients[0] : undefined,
    reverseHost: evidence.reverseHost,
    reason: evidence.trusted ? undefined : reason,
    authentication: stamped.authentication,
  })
  return {
    message,
    flags,
    keywords,
    prefix: stamped.lead.length === 0 ? fields : Buffer.concat([fields, stamped.lead]),
    skipOctets: stamped.skipOctets,
    // Of a sender nobody looked into nothing is remembered.
    reception: evidence.trusted ? undefined : receptionFacts(evidence.sender, Math.floor(reception.receivedAt / 1_000), intendedMailbox),
  }
}

const REJECT_FLAGS: FlagSet = { flags: Flag.seen, keywords: [] }

/** Keeps copies of what was turned away, where owners want them. */
export async function keepRejects(findings: readonly Finding[], incoming: Incoming, host: ReceiveHost): Promise<void> {
  for (const finding of findings) {
    if (finding.kind !== 'refuse' || !finding.keep || finding.account === undefined) continue
    const rejectsMailbox = host.directory.settingsOf(finding.account.name)?.rejectsMailbox
    if (rejectsMailbox === undefined) continue
    const { share, refusal, mailbox, account } = finding
    await keepReject(account, rejectsMailbox, newMessage(incoming, share.recipients, refusal.reason, REJECT_FLAGS, mailbox), host)
  }
}

async function afterwards(host: ReceiveHost, account: AccountStore, run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    host.logger.warn({ err: error, account: account.name }, 'A message was stored, what was to follow failed')
  }
}

async function forgetRejects(account: AccountStore, evidence: MessageEvidence, host: ReceiveHost): Promise<void> {
  const { messageId } = evidence.header
  const rejectsMailbox = host.directory.settingsOf(account.name)?.rejectsMailbox
  if (messageId !== undefined && rejectsMailbox !== undefined) await account.forgetReject(rejectsMailbox, messageId)
}
