/**
 * The octets of one header section after the other, kept while they come in pieces, all together within a limit.
 * Not here: where sections start and end (parts.ts).
 */
const NOTHING: Buffer = Buffer.alloc(0)

/** LIMIT: octets of header sections whose fields are read, over the whole message. */
const MAX_HEADER_OCTETS = 1024 * 1024

/** Keeps the section under way. A section that lies within one piece is not copied. */
export class KeptHeader {
  /** What came of the section in earlier pieces; in the current one it goes on at `#from`. */
  #octets = NOTHING
  #length = 0
  #from = 0
  #budget = MAX_HEADER_OCTETS

  /** A section starts at `from` in the current piece, which may be its end. */
  begin(from: number): void {
    this.#length = 0
    this.#from = from
  }

  /** The section under way goes on beyond the piece. */
  keep(piece: Buffer): void {
    this.#append(piece.subarray(this.#from))
    this.#from = 0
  }

  /**
   * The section that ends at `to` of the current piece, which is negative when its last line began in an earlier one.
   * @param length octets of the section
   * @returns its octets, valid until the next call; cut when the limit is reached
   */
  take(piece: Buffer, to: number, length: number): { readonly header: Buffer; readonly isCut: boolean } {
    const kept = Math.min(length, this.#budget)
    let header = NOTHING
    if (kept > 0 && this.#length > 0) {
      if (to > this.#from) this.#append(piece.subarray(this.#from, to))
      header = this.#octets.subarray(0, kept)
    } else if (kept > 0) {
      header = piece.subarray(to - length, to - length + kept)
    }
    this.#budget -= kept
    return { header, isCut: kept < length }
  }

  #append(octets: Buffer): void {
    const length = Math.min(octets.length, this.#budget - this.#length)
    if (length <= 0) return
    const needed = this.#length + length
    if (needed > this.#octets.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 * needed))
      this.#octets.copy(grown, 0, 0, this.#length)
      this.#octets = grown
    }
    octets.copy(this.#octets, this.#length, 0, length)
    this.#length = needed
  }
}
