/** Which sessions of an account have which mailbox open, and up to where each was told: what the eraser must spare. */

interface Claim {
  readonly mailbox: number
  told: number
}

export class SessionRegister {
  readonly #claims = new Map<object, Claim>()

  get size(): number {
    return this.#claims.size
  }

  /** Holds everything of a mailbox back from erasure until the first `told`. @returns what names the claim */
  claim(mailbox: number): object {
    const claim = {}
    this.#claims.set(claim, { mailbox, told: 0 })
    return claim
  }

  /** Never goes back. */
  told(claim: object, modseq: number): void {
    const found = this.#claims.get(claim)
    if (found !== undefined && modseq > found.told) found.told = modseq
  }

  /** Infinity once released. */
  toldModseq(claim: object): number {
    return this.#claims.get(claim)?.told ?? Infinity
  }

  release(claim: object): void {
    this.#claims.delete(claim)
  }

  /** Lowest modseq that not every session of a mailbox was told beyond; Infinity without sessions. */
  lowestTold(mailbox: number): number {
    let lowest = Infinity
    for (const claim of this.#claims.values()) if (claim.mailbox === mailbox) lowest = Math.min(lowest, claim.told)
    return lowest
  }
}
