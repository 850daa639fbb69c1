/**
 * The program of the thread that looks into messages. It has no resolver: it asks the server's, and keeps answers for a
 * while. Not here: who asks (message-thread.ts).
 */
import { parentPort } from 'node:worker_threads'
import { gatherEvidence, readHeaderFacts } from '@postern/core/analysis'
import type { ReadWords } from '@postern/junk/filter'
import { readMessageKeys, readMessageWords } from '@postern/junk/words'
import { systemRandom } from '../host/random.ts'
import { createKeptResolver } from './kept-resolver.ts'
import type { ServerCalls, ThreadCalls } from './message-calls.ts'
import { ThreadLink, type Packet } from './thread-link.ts'

const link = new ThreadLink<ServerCalls, ThreadCalls>((packet, transfer) => parentPort?.postMessage(packet, transfer), {
  async gather({ message, headerOctets, bodyStart, arrival, hostname, words }) {
    const header = message.subarray(0, headerOctets)
    const signed = { header, body: () => [message.subarray(bodyStart)] }
    const gathering = gatherEvidence(signed, readHeaderFacts(header), arrival, { resolver, random: systemRandom, hostname })
    // While answers of the domain name system are on their way.
    const read = words ? readWords(message) : undefined
    const { header: _, ...evidence } = await gathering
    return { evidence, words: read }
  },
  keys: (message) => readMessageKeys(message),
  words: readWords,
})

function readWords(message: Uint8Array): ReadWords {
  const { count, keys, distances, sources, truncated } = readMessageWords(message)
  return { count, keys, distances, sources, truncated }
}

const resolver = createKeptResolver((name, kind) => link.ask('lookUp', { name, kind }))

parentPort?.on('message', (packet: Packet) => link.heard(packet))
// Tells that it is there.
parentPort?.postMessage([])
