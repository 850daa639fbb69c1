/** Octets of messages on their way in, before anyone has decided where they belong. */
import type { OctetSink } from '../host/index.ts'
import type { MessageStructure } from '../message/index.ts'

/**
 * A received message's octets, whole, in memory or in a temporary file; not durable. May be appended to any
 * number of accounts. Its owner calls `release` once.
 */
export interface SpooledMessage {
  readonly sizeOctets: number
  /** Parsed while it came in. Offsets are octets of this spooled message. */
  readonly structure: MessageStructure
  /** SHA-256 of the octets. */
  readonly sha256: Uint8Array
  /** Any octet over 0x7f. */
  readonly eightBit: boolean
  /**
   * Octets `[from, to)`, clipped to the message; a copy or a view valid until `release`. Large ranges are the
   * caller's to cut.
   */
  read(from: number, to: number): Promise<Uint8Array>
  /** The first `octets` octets when they lie in memory, else undefined. Valid until `release`. */
  inMemory(): Uint8Array | undefined
  release(): void
}

/** Takes one message in. Rejects a write with `StoreError` STORE_BUSY when the budget of buffered octets is used up. */
export type Spool = OctetSink<SpooledMessage>
