/** A spool that keeps the whole message in memory. No budget: for tests. */
import { createHash } from 'node:crypto'
import { createStructureScanner } from '../src/message/index.ts'
import type { Spool, SpooledMessage } from '../src/store/index.ts'

/** Takes in one message. */
export function createMemorySpool(): Spool {
  const pieces: Uint8Array[] = []
  const scanner = createStructureScanner()
  const hash = createHash('sha256')
  let eightBit = false
  return {
    write(octets) {
      const piece = octets.slice()
      pieces.push(piece)
      scanner.push(piece)
      hash.update(piece)
      eightBit ||= piece.some((octet) => octet > 0x7f)
    },
    end() {
      const whole = new Uint8Array(Buffer.concat(pieces))
      const message: SpooledMessage = {
        sizeOctets: whole.length,
        structure: scanner.end(),
        sha256: new Uint8Array(hash.digest()),
        eightBit,
        read: (from, to) => Promise.resolve(whole.slice(Math.max(0, from), Math.max(0, to))),
        inMemory: () => whole,
        release() {},
      }
      return Promise.resolve(message)
    },
    abort() {
      pieces.length = 0
    },
  }
}
