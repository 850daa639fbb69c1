/**
 * The program of the thread that reads large messages for the filter of content. It has no corpus: it asks for counts by
 * message and goes on when they come. Not here: who asks (junk-reader.ts).
 */
import { parentPort } from 'node:worker_threads'
import type { CorpusCounts } from '@postern/junk/corpus'
import { createJunkFilter, type JunkClassification, type JunkFilterSettings } from '@postern/junk/filter'
import { readMessageKeys } from '@postern/junk/words'

/** What the thread is told. */
export type ThreadRequest =
  | { readonly kind: 'keys'; readonly id: number; readonly message: Uint8Array }
  | { readonly kind: 'classify'; readonly id: number; readonly message: Uint8Array; readonly settings: JunkFilterSettings }
  /** Answer to `counts`; undefined: they can't be had. */
  | { readonly kind: 'counts'; readonly id: number; readonly counts: CorpusCounts | undefined }

/** What the thread tells. */
export type ThreadReply =
  | { readonly kind: 'keys'; readonly id: number; readonly keys: Uint32Array }
  | { readonly kind: 'classified'; readonly id: number; readonly classification: JunkClassification }
  | { readonly kind: 'counts'; readonly id: number; readonly keys: Uint32Array }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }

const asked = new Map<number, (counts: CorpusCounts | undefined) => void>()

function tell(reply: ThreadReply): void {
  parentPort?.postMessage(reply)
}

async function classify(id: number, message: Uint8Array, settings: JunkFilterSettings): Promise<JunkClassification> {
  const filter = createJunkFilter(settings, {
    async read(keys) {
      const counts = await new Promise<CorpusCounts | undefined>((resolve) => {
        asked.set(id, resolve)
        tell({ kind: 'counts', id, keys })
      })
      if (counts === undefined) throw new Error('Counts can not be had')
      return counts
    },
    apply: () => Promise.reject(new Error('Nothing is learned here')),
  })
  return filter.classify(message)
}

parentPort?.on('message', (request: ThreadRequest) => {
  const { kind, id } = request
  if (kind === 'counts') {
    asked.get(id)?.(request.counts)
    asked.delete(id)
    return
  }
  const answer: Promise<ThreadReply> =
    kind === 'keys'
      ? Promise.resolve().then(() => ({ kind: 'keys', id, keys: readMessageKeys(request.message) }))
      : classify(id, request.message, request.settings).then((classification) => ({ kind: 'classified', id, classification }))
  answer.then(tell, (error: unknown) => tell({ kind: 'failed', id, error: String(error) }))
})
