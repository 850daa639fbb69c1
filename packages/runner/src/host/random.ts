/** The machine's source of random octets. */
import { randomBytes } from 'node:crypto'
import type { Random } from '@postern/core/host'

export const systemRandom: Random = (octets) => new Uint8Array(randomBytes(octets))
