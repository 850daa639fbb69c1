/** Looks into senders of messages: in the thread for messages where it can, else here. */
import { gatherEvidence, signedMessage } from '@postern/core/analysis'
import type { ReceiveHost, Reception } from '@postern/core/delivery'
import { DnsError, type ConnectionInfo, type Random, type Resolver } from '@postern/core/host'
import type { SpooledMessage } from '@postern/core/store'
import type { ReadWords } from '@postern/junk/filter'
import type { ServerCalls } from './message-calls.ts'
import { isUnanswered, type MessageThread } from './message-thread.ts'
import type { Handlers } from './thread-link.ts'

export interface EvidenceGathererHost {
  readonly resolver: Resolver
  readonly random: Random
  /** Our name. */
  readonly hostname: string
  /** Absent where clock or random octets aren't the machine's: in another thread there are no others. */
  readonly thread: MessageThread | undefined
  /** Whether somebody's filter may ask for the words of a message; they are read in one go with its sender, into `readings`. */
  readonly wantsWords: (reception: Reception) => boolean
  readonly readings: WeakMap<SpooledMessage, ReadWords>
}

export function createEvidenceGatherer({ resolver, random, hostname, thread, wantsWords, readings }: EvidenceGathererHost): ReceiveHost['gather'] {
  return async (message, header, facts, reception, { signal }) => {
    const octets = message.inMemory()
    // What lies in a file is read piece by piece, which lets others go on.
    if (thread?.isReady === true && octets?.length === message.sizeOctets) {
      const { reversePath, helo, connection, receivedAt } = reception
      const answer = await thread.ask('gather', octets, (copy) => ({
        message: copy,
        headerOctets: header.length,
        bodyStart: message.structure.root.bodyStart,
        arrival: { reversePath, helo, connection: plainConnection(connection), receivedAt },
        hostname,
        words: wantsWords(reception),
      }))
      signal.throwIfAborted()
      if (!isUnanswered(answer)) {
        if (answer.words !== undefined) readings.set(message, answer.words)
        return { ...answer.evidence, header: facts }
      }
    }
    return gatherEvidence(signedMessage(message, header), facts, reception, { resolver, random, hostname }, { signal })
  }
}

/** Of a connection what can go over to another thread, whoever made it. */
function plainConnection({ remoteAddress, tls }: ConnectionInfo): ConnectionInfo {
  return {
    ...(remoteAddress === undefined ? {} : { remoteAddress }),
    ...(tls === undefined ? {} : { tls: { protocol: tls.protocol, cipher: tls.cipher } }),
  }
}

/** Answers the thread's look-ups. */
export function answerLookUps(resolver: Resolver): Handlers<ServerCalls>['lookUp'] {
  return async ({ name, kind }) => {
    try {
      return { found: await resolver.query(name, kind) }
    } catch (error) {
      if (error instanceof DnsError) return { failed: error.code, text: error.message }
      throw error
    }
  }
}
