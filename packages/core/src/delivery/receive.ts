/**
 * The receive flow: what is learned of a message, what each recipient makes of it, then all of them or none. All are
 * judged before any is stored: as long as nothing can tell a sender afterwards who did not get his message, verdicts that
 * differ are told as the strictest of them.
 */
import { readHeaderFacts, receptionFacts, type MessageEvidence } from '../analysis/index.ts'
import { formatPath, type ForwardPath } from '../address/index.ts'
import { sleep } from '../host/index.ts'
import type { AccountStore, ModSeq, NewMessage, SpooledMessage, Uid } from '../store/index.ts'
import { fileMessage } from './file-message.ts'
import type { HookDecision } from './hooks.ts'
import { judge, type Finding, type JudgedMessage, type Share } from './judge.ts'
import type { ReceiveHost } from './receive-host.ts'
import type { Reception } from './reception.ts'
import { strictest, type Refusal } from './refusal.ts'
import { keepReject } from './rejects.ts'
import { formatTraceFields, stampedHeader, type StampedHeader } from './trace-fields.ts'

/** What became of one account's share. */
export interface Delivery {
  readonly account: string
  readonly mailbox: string
  readonly uid: Uid
  readonly modseq: ModSeq
  /** Keyword of what the decision rested on. */
  readonly reason: string
}

export type ReceiveOutcome =
  /** Durable for every recipient; `deliveries` is empty when a hook discarded it. */
  | { readonly kind: 'accepted'; readonly deliveries: readonly Delivery[]; readonly findings: readonly Finding[]; readonly evidence: MessageEvidence }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly close: boolean; readonly findings: readonly Finding[]; readonly evidence: MessageEvidence | undefined }

/** More of them, and the message is going round in circles. RFC 5321 §6.3 asks for at least 100. */
const MAX_HOPS = 100
/** LIMIT: of a header that is looked into. */
const MAX_HEADER_OCTETS = 1_048_576
/** For all look-ups about one message together. */
const ANALYSIS_MS = 60_000

/** Takes a message in for all its recipients, or for none. Rejects with `StoreError` when the store can't take it now. */
export async function receive(message: SpooledMessage, reception: Reception, host: ReceiveHost, signal: AbortSignal): Promise<ReceiveOutcome> {
  const header = await message.read(0, Math.min(message.structure.root.bodyStart, MAX_HEADER_OCTETS))
  const { hops } = readHeaderFacts(header)
  if (hops > MAX_HOPS) return refused({ code: 550, enhanced: '5.4.6', text: 'The message is going round in circles', reason: 'loop', slow: false })

  const gathered = await withDeadline(host, signal, (deadline) => host.gather(message, header, reception, deadline))
  const decision = (await host.messageHook?.({ reception, message, evidence: gathered })) ?? { action: 'continue' }
  // What the host application vouches for is not judged any more.
  const evidence = decision.action === 'accept' ? { ...gathered, trusted: true } : gathered
  if (decision.action === 'discard') return { kind: 'accepted', deliveries: [], findings: [], evidence }
  const stopped = refusalByHook(decision)
  if (stopped !== undefined) return refused(stopped, { evidence, close: decision.action === 'disconnect' })

  const stamped = stampedHeader(header, evidence, host.hostname)
  if (stamped === undefined) {
    return refused({ code: 550, enhanced: '5.6.0', text: 'The header claims results of ours, too far down to take them out', reason: 'header', slow: true }, { evidence })
  }
  const findings = await judgeAll(message, reception, evidence, stamped, host, signal)
  const refusal = strictest(findings.flatMap((finding) => (finding.kind === 'refuse' ? [finding.refusal] : [])))
  if (refusal !== undefined) {
    await keepRejects(message, reception, evidence, stamped, findings, host)
    return refused(refusal, { evidence, findings })
  }
  const plans = await Promise.all(findings.flatMap((finding) => (finding.kind === 'deliver' ? [askDeliverHook(finding, message, reception, evidence, host)] : [])))
  const stoppedPlan = strictest(plans.flatMap(({ refusal: byHook }) => (byHook === undefined ? [] : [byHook])))
  if (stoppedPlan !== undefined) return refused(stoppedPlan, { evidence, findings })
  if (findings.some((finding) => finding.kind === 'deliver' && finding.reason === 'no-bad-signals') && host.firstTimeSenderDelayMs > 0) {
    await sleep(host.clock, host.firstTimeSenderDelayMs, signal)
  }
  const deliveries = await deliverAll(plans, message, reception, evidence, stamped, host)
  return { kind: 'accepted', deliveries, findings, evidence }
}

function refused(
  refusal: Refusal,
  rest: { readonly evidence?: MessageEvidence; readonly close?: boolean; readonly findings?: readonly Finding[] } = {},
): Extract<ReceiveOutcome, { kind: 'refused' }> {
  return { kind: 'refused', refusal, close: rest.close ?? false, findings: rest.findings ?? [], evidence: rest.evidence }
}

/** One finding for each destination, in the order they were named. */
async function judgeAll(
  message: SpooledMessage,
  reception: Reception,
  evidence: MessageEvidence,
  stamped: StampedHeader,
  host: ReceiveHost,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { reversePath } = reception
  const judged: Omit<JudgedMessage, 'signal'> = {
    message,
    evidence,
    subject: {
      mailFrom: reversePath.kind === 'null' ? '' : formatPath(reversePath, { utf8: true }).slice(1, -1),
      verifiedDomains: evidence.verifiedDomains,
      fields: [...stamped.authentication, ...evidence.header.fields()],
    },
    remoteAddress: reception.connection.remoteAddress,
    receivedSeconds: Math.floor(reception.receivedAt / 1_000),
  }
  return withDeadline(host, signal, async (deadline) => {
    const findings: Finding[] = []
    for (const share of sharesOf(reception, host)) findings.push(await judge(share, { ...judged, signal: deadline }, host))
    return findings
  })
}

/** Recipients by destination: an address named twice gets one copy. */
function sharesOf(reception: Reception, host: ReceiveHost): readonly Share[] {
  const shares = new Map<string, { readonly destination: Share['destination']; readonly recipients: ForwardPath[] }>()
  for (const recipient of reception.recipients) {
    const found = host.directory.findRecipient(recipient)
    if (found.kind !== 'account') continue
    const { account, key } = found.destination
    const known = shares.get(`${account}\0${key}`)
    if (known === undefined) shares.set(`${account}\0${key}`, { destination: found.destination, recipients: [recipient] })
    else known.recipients.push(recipient)
  }
  return [...shares.values()]
}

/** What is stored for one account in one mailbox. */
interface Plan {
  readonly finding: Extract<Finding, { kind: 'deliver' }>
  readonly mailbox: string
  readonly flags: readonly string[]
  readonly refusal?: Refusal
  readonly discard: boolean
}

async function askDeliverHook(
  finding: Extract<Finding, { kind: 'deliver' }>,
  message: SpooledMessage,
  reception: Reception,
  evidence: MessageEvidence,
  host: ReceiveHost,
): Promise<Plan> {
  const { account, mailbox, reason, signals } = finding
  const decision = (await host.deliverHook?.({ reception, message, evidence, account: account.name, mailbox, reason, signals })) ?? { action: 'continue' }
  if (decision.action === 'file') return { finding, mailbox: decision.mailbox, flags: decision.flags ?? [], discard: false }
  const refusal = refusalByHook(decision)
  return { finding, mailbox, flags: [], discard: decision.action === 'discard', ...(refusal === undefined ? {} : { refusal }) }
}

/** One copy for each mailbox of an account, in one commit each. */
async function deliverAll(
  plans: readonly Plan[],
  message: SpooledMessage,
  reception: Reception,
  evidence: MessageEvidence,
  stamped: StampedHeader,
  host: ReceiveHost,
): Promise<readonly Delivery[]> {
  const byMailbox = new Map<string, Plan[]>()
  for (const plan of plans) {
    if (plan.discard) continue
    const key = `${plan.finding.account.name}\0${plan.mailbox}`
    const same = byMailbox.get(key)
    if (same === undefined) byMailbox.set(key, [plan])
    else same.push(plan)
  }
  const receivedSeconds = Math.floor(reception.receivedAt / 1_000)
  const { remoteAddress } = reception.connection
  const deliverOne = async ([first, ...others]: readonly Plan[]): Promise<readonly Delivery[]> => {
    if (first === undefined) return []
    const { account, reason, report, share } = first.finding
    const recipients = [...share.recipients, ...others.flatMap((plan) => plan.finding.share.recipients)]
    const stored = await fileMessage(account, first.mailbox, newMessage(message, recipients, reason, reception, evidence, stamped), {
      flags: first.flags,
      seen: report,
    })
    await host.arrivals.stored(account, remoteAddress, message.sizeOctets, receivedSeconds)
    await forgetRejects(account, evidence, host)
    const { reports } = share.destination
    if (report && reports !== undefined) await host.reports?.store(reports, message, evidence)
    return [{ account: account.name, mailbox: stored.mailbox, uid: stored.uid, modseq: stored.modseq, reason }]
  }
  return (await Promise.all(Array.from(byMailbox.values(), deliverOne))).flat()
}

function newMessage(
  message: SpooledMessage,
  recipients: readonly ForwardPath[],
  reason: string,
  reception: Reception,
  evidence: MessageEvidence,
  stamped: StampedHeader,
  intendedMailbox?: string,
): Omit<NewMessage, 'flags' | 'keywords'> {
  const fields = formatTraceFields({
    ...reception,
    hostname: stamped.hostname,
    // With several, each would learn of the others.
    recipient: recipients.length === 1 ? recipients[0] : undefined,
    reverseHost: evidence.reverseHost,
    reason: evidence.trusted ? undefined : reason,
    authentication: stamped.authentication,
  })
  return {
    message,
    prefix: stamped.lead.length === 0 ? fields : Buffer.concat([fields, stamped.lead]),
    skipOctets: stamped.skipOctets,
    reception: receptionFacts(evidence.sender, Math.floor(reception.receivedAt / 1_000), intendedMailbox),
  }
}

async function keepRejects(
  message: SpooledMessage,
  reception: Reception,
  evidence: MessageEvidence,
  stamped: StampedHeader,
  findings: readonly Finding[],
  host: ReceiveHost,
): Promise<void> {
  for (const finding of findings) {
    if (finding.kind !== 'refuse' || !finding.keep || finding.account === undefined) continue
    const rejectsMailbox = host.directory.settingsOf(finding.account.name)?.rejectsMailbox
    if (rejectsMailbox === undefined) continue
    const { share, refusal, mailbox, account } = finding
    await keepReject(account, rejectsMailbox, newMessage(message, share.recipients, refusal.reason, reception, evidence, stamped, mailbox), host)
  }
}

async function forgetRejects(account: AccountStore, evidence: MessageEvidence, host: ReceiveHost): Promise<void> {
  const { messageId } = evidence.header
  const rejectsMailbox = host.directory.settingsOf(account.name)?.rejectsMailbox
  if (messageId !== undefined && rejectsMailbox !== undefined) await account.forgetReject(rejectsMailbox, messageId)
}

function refusalByHook(decision: HookDecision): Refusal | undefined {
  switch (decision.action) {
    case 'reject':
      return { code: decision.code ?? 550, enhanced: decision.enhanced ?? '5.7.1', text: decision.text ?? 'Refused by policy', reason: 'hook', slow: false }
    case 'tempfail':
      return { code: decision.code ?? 451, enhanced: decision.enhanced ?? '4.7.1', text: decision.text ?? 'Not now, try again later', reason: 'hook', slow: false }
    case 'disconnect':
      return { code: decision.code ?? 421, enhanced: '4.7.0', text: decision.text ?? 'Closing', reason: 'hook', slow: false }
    case 'accept':
    case 'continue':
    case 'discard':
      return undefined
  }
}

/** Runs with a signal that is aborted when the time for the analysis is over, or by the given one. */
async function withDeadline<T>(host: ReceiveHost, signal: AbortSignal, run: (deadline: AbortSignal) => Promise<T>): Promise<T> {
  const late = new AbortController()
  const timer = host.clock.timer(ANALYSIS_MS, () => late.abort(new Error('The analysis took too long')))
  const onAbort = (): void => late.abort(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await run(late.signal)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
