/** The machine's source of random octets, drawn many at a time: a draw costs the same for one octet as for hundreds. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '@postern/core/host'

const POOL_OCTETS = 4_096

const pool = new Uint8Array(POOL_OCTETS)
/** Octets of the pool that were handed out. */
let used = POOL_OCTETS

export const systemRandom: Random = (octets) => {
  if (octets > POOL_OCTETS / 4) return randomFillSync(new Uint8Array(octets))
  if (used + octets > POOL_OCTETS) {
    randomFillSync(pool)
    used = 0
  }
  const drawn = pool.slice(used, used + octets)
  // What was handed out stays nowhere else.
  pool.fill(0, used, used + octets)
  used += octets
  return drawn
}
