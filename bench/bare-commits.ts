/** What the disk under a store does at most: durable commits of one value, by LMDB alone. */
import { open } from 'lmdb'
import { load } from './deliveries.ts'

/** Durable puts of 5 KB a second, with the store's page size. */
export async function measureBareCommits(dir: string, inFlight: number, seconds: number): Promise<number> {
  const db = open<Buffer, Buffer>({ path: dir, keyEncoding: 'binary', encoding: 'binary', pageSize: 8192, overlappingSync: false, eventTurnBatching: false })
  const { perSecond } = await load(inFlight, { seconds }, async (n) => {
    await db.put(Buffer.from(String(n).padStart(12, '0')), Buffer.alloc(5_120, n))
  })
  await db.close()
  return perSecond
}
