/**
 * The program of the thread that looks into messages. It has neither resolver nor corpus: it asks for what it needs, and
 * keeps answers of the domain name system for a while. Not here: who asks (message-thread.ts).
 */
import { parentPort } from 'node:worker_threads'
import { gatherEvidence, readHeaderFacts } from '@postern/core/analysis'
import { createJunkFilter } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'
import { systemRandom } from '../host/random.ts'
import { createKeptResolver } from './kept-resolver.ts'
import type { ServerCalls, ThreadCalls } from './message-calls.ts'
import { ThreadLink, type Packet } from './thread-link.ts'

const link = new ThreadLink<ServerCalls, ThreadCalls>((packet, transfer) => parentPort?.postMessage(packet, transfer), {
  async gather({ message, headerOctets, bodyStart, arrival, hostname }) {
    const header = message.subarray(0, headerOctets)
    const signed = { header, body: () => [message.subarray(bodyStart)] }
    const { header: _, ...evidence } = await gatherEvidence(signed, readHeaderFacts(header), arrival, { resolver, random: systemRandom, hostname })
    return evidence
  },
  keys: (message) => readMessageKeys(message),
  classify({ job, message, settings }) {
    const read = (keys: Uint32Array): Promise<ServerCalls['counts']['answer']> => link.ask('counts', { job, keys })
    return createJunkFilter(settings, { read, apply: () => Promise.reject(new Error('Nothing is learned here')) }).classify(message)
  },
})

const resolver = createKeptResolver((name, kind) => link.ask('lookUp', { name, kind }))

parentPort?.on('message', (packet: Packet) => link.heard(packet))
// Tells that it is there.
parentPort?.postMessage([])
