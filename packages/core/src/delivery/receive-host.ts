/** What the receive flow is given: everything it asks others for. */
import type { Classifier, HeaderFacts, MessageEvidence } from '../analysis/index.ts'
import type { Directory } from '../directory/index.ts'
import type { Clock, Logger, Random } from '../host/index.ts'
import type { MailStore, SpooledMessage } from '../store/index.ts'
import type { Deadline } from './analyse.ts'
import type { ArrivalsRegister } from './arrivals-register.ts'
import type { DeliverHook, MessageHook } from './hooks.ts'
import type { Reception } from './reception.ts'

/** Reads reports that come by mail. */
export interface ReportReader {
  /** Whether the message holds a report about one of our domains, from somebody who may send it. */
  recognises(kind: 'dmarc' | 'tls', message: SpooledMessage, evidence: MessageEvidence): Promise<boolean>
  /** Stores the report of a message that was recognised. */
  store(kind: 'dmarc' | 'tls', message: SpooledMessage, evidence: MessageEvidence): Promise<void>
}

export interface ReceiveHost {
  readonly store: MailStore
  readonly directory: Directory
  /** Our name. */
  readonly hostname: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly arrivals: ArrivalsRegister
  /** Everything that is the same for all recipients: look-ups side by side under one deadline. */
  gather(message: SpooledMessage, header: Uint8Array, facts: HeaderFacts, reception: Reception, deadline: Pick<Deadline, 'signal'>): MessageEvidence | Promise<MessageEvidence>
  readonly classifier?: Classifier | undefined
  /** Lists that list an address. */
  readonly blockLists?: ((remoteAddress: string, signal: AbortSignal) => Promise<readonly string[]>) | undefined
  readonly reports?: ReportReader | undefined
  /** How long an unknown sender's message waits before it is stored, in milliseconds; holds back who sends many. */
  readonly firstTimeSenderDelayMs: number
  readonly messageHook?: MessageHook | undefined
  readonly deliverHook?: DeliverHook | undefined
}
