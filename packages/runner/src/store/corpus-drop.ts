/** Deletes all of a corpus that is no longer in use, in slices. */
import type { CorpusSource } from './corpus-words.ts'

/** LIMIT: records deleted by one commit. */
const MAX_DELETES = 500

export async function dropCorpus({ store, keys, writer }: CorpusSource, corpus: number): Promise<void> {
  for (const span of keys.corpusRows(corpus)) {
    for (;;) {
      const rows = await store.range({ ...span, limit: MAX_DELETES })
      if (rows.length === 0) break
      await writer.change(async (tx) => {
        for (const { key } of rows) tx.delete(key)
      })
    }
  }
  await writer.change(async (tx) => tx.delete(keys.corpus(corpus)))
}
