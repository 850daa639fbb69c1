/**
 * Where a stream of octets goes: message data on its way from the wire to a store.
 *
 * A sink is used by one writer: any number of `write`, then either `end` or `abort`, once. A promise returned by `write`
 * means "not yet": the writer sends nothing more before it settles, and the octets stay valid until then. When `write`
 * returns nothing the octets are valid only during the call; a sink that keeps them copies them.
 */
export interface OctetSink<R> {
  /** Takes the next octets. A throw or rejection aborts the stream; the writer then calls neither `end` nor `abort`. */
  write(octets: Uint8Array): void | Promise<void>
  /** All octets have come. Resolves with what became of them. */
  end(): Promise<R>
  /** The stream broke off; nothing of it may be kept. Never throws. */
  abort(cause: unknown): void
}
