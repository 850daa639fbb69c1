/**
 * The receive flow: what is learned of a message, what each recipient makes of it, then all of them or none. All are
 * judged before any is stored: as long as nothing can tell a sender afterwards who did not get his message, verdicts that
 * differ are told as the strictest of them.
 */
import { readHeaderFacts, type MessageEvidence } from '../analysis/index.ts'
import { formatPath, type ForwardPath } from '../address/index.ts'
import { sleep } from '../host/index.ts'
import type { RulesetSubject } from '../directory/index.ts'
import type { SpooledMessage } from '../store/index.ts'
import { analyse } from './analyse.ts'
import { askDeliverHook, deliverAll, keepRejects, type Delivery, type Incoming } from './deliver.ts'
import { refusalByHook } from './hooks.ts'
import { judge, type Finding, type JudgedMessage, type Share } from './judge.ts'
import type { ReceiveHost } from './receive-host.ts'
import type { Reception } from './reception.ts'
import { noSuchMailbox, refusalOf, strictest, type Refusal } from './refusal.ts'
import { stampedHeader } from './trace-fields.ts'

export type ReceiveOutcome =
  /** Durable for every recipient; `deliveries` is empty when a hook discarded it. */
  | { readonly kind: 'accepted'; readonly deliveries: readonly Delivery[]; readonly findings: readonly Finding[]; readonly evidence: MessageEvidence }
  | { readonly kind: 'refused'; readonly refusal: Refusal; readonly close: boolean; readonly findings: readonly Finding[]; readonly evidence: MessageEvidence | undefined }

/** More of them, and the message is going round in circles. RFC 5321 §6.3 asks for at least 100. */
const MAX_HOPS = 100
/** LIMIT: of a header that is looked into. */
const MAX_HEADER_OCTETS = 1_048_576

/** Takes a message in for all its recipients, or for none. Rejects with `StoreError` when the store can't take it now. */
export async function receive(message: SpooledMessage, reception: Reception, host: ReceiveHost, signal: AbortSignal): Promise<ReceiveOutcome> {
  const header = await message.read(0, Math.min(message.structure.root.bodyStart, MAX_HEADER_OCTETS))
  const facts = readHeaderFacts(header)
  if (facts.hops > MAX_HOPS) return refused({ code: 550, enhanced: '5.4.6', text: 'The message is going round in circles', reason: 'loop', slow: false })

  // Who was there at RCPT may be gone by now. What nobody gets must not be told as taken.
  if (reception.recipients.some((recipient) => host.directory.findRecipient(recipient).kind !== 'account')) return refused(noSuchMailbox)

  const gathered = await analyse(host, signal, (deadline) => {
    // Of all that is looked up nothing needs to be told that its time is over: resolvers have limits of their own.
    const evidence = host.gather(message, header, facts, reception, { signal })
    if (evidence instanceof Promise) deadline.begin()
    return evidence
  })
  if (gathered === undefined) return refused(analysisFailed)
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
  const incoming: Incoming = { message, reception, evidence, stamped }
  const findings = await judgeAll(incoming, host, signal)
  if (findings === undefined) return refused(analysisFailed, { evidence })
  const refusal = strictest(findings.flatMap((finding) => (finding.kind === 'refuse' ? [finding.refusal] : [])))
  if (refusal !== undefined) {
    await keepRejects(findings, incoming, host)
    return refused(refusal, { evidence, findings })
  }
  const plans = await Promise.all(findings.flatMap((finding) => (finding.kind === 'deliver' ? [askDeliverHook(finding, incoming, host)] : [])))
  const stoppedPlan = strictest(plans.flatMap(({ refusal: byHook }) => (byHook === undefined ? [] : [byHook])))
  if (stoppedPlan !== undefined) return refused(stoppedPlan, { evidence, findings, close: plans.some(({ close }) => close) })
  if (findings.some((finding) => finding.kind === 'deliver' && finding.reason === 'no-bad-signals') && host.firstTimeSenderDelayMs > 0) {
    await sleep(host.clock, host.firstTimeSenderDelayMs, signal)
  }
  const deliveries = await deliverAll(plans, incoming, host)
  return { kind: 'accepted', deliveries, findings, evidence }
}

function refused(
  refusal: Refusal,
  rest: { readonly evidence?: MessageEvidence; readonly close?: boolean; readonly findings?: readonly Finding[] } = {},
): Extract<ReceiveOutcome, { kind: 'refused' }> {
  return { kind: 'refused', refusal, close: rest.close ?? false, findings: rest.findings ?? [], evidence: rest.evidence }
}

/** Nobody is to learn from it whether he was found out. */
const analysisFailed: Refusal = { ...refusalOf('no-bad-signals', 'junk'), reason: 'analysis-error', slow: false }

/** One finding for each destination, in the order they were named; undefined when there is no verdict. */
async function judgeAll({ message, reception, evidence, stamped }: Incoming, host: ReceiveHost, signal: AbortSignal): Promise<readonly Finding[] | undefined> {
  const { reversePath } = reception
  let fields: ReturnType<RulesetSubject['fields']>
  const judgedUntil = (deadline: JudgedMessage['deadline']): JudgedMessage => ({
    message,
    evidence,
    subject: {
      mailFrom: reversePath.kind === 'null' ? '' : formatPath(reversePath, { utf8: true }).slice(1, -1),
      verifiedDomains: evidence.verifiedDomains,
      fields: () => (fields ??= [...stamped.authentication, ...evidence.header.fields()]),
    },
    remoteAddress: reception.connection.remoteAddress,
    receivedSeconds: Math.floor(reception.receivedAt / 1_000),
    deadline,
  })
  return analyse(host, signal, async (deadline) => {
    const findings: Finding[] = []
    const judged = judgedUntil(deadline)
    for (const share of sharesOf(reception, host)) findings.push(await judge(share, judged, host))
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
