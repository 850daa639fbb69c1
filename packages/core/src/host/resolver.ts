/**
 * The domain name system as code may ask it. Everything that looks names up takes a `Resolver`, so that a test or an
 * embedder can give his own.
 * Not here: sockets and caches, which the runner provides.
 */

/** What a record of each kind holds. Names are lower case, without a trailing dot. */
export interface DnsData {
  /** IPv4 address, dotted decimal. */
  readonly A: string
  /** IPv6 address. RFC 5952 */
  readonly AAAA: string
  readonly CNAME: string
  readonly MX: { readonly preference: number; readonly exchange: string }
  readonly NS: string
  readonly PTR: string
  readonly SRV: { readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
  /** The strings of one record joined without a space; one character an octet (latin1). */
  readonly TXT: string
  readonly TLSA: { readonly usage: number; readonly selector: number; readonly match: number; readonly data: Uint8Array }
  readonly CAA: { readonly flags: number; readonly tag: string; readonly value: string }
}

export type DnsKind = keyof DnsData

/** An answer, also the one that there is nothing. */
export interface DnsAnswer<K extends DnsKind> {
  /** In the order they came; empty when there are none of this kind. CNAMEs were followed, for K other than CNAME. */
  readonly records: readonly DnsData[K][]
  /** False when the name does not exist (NXDOMAIN), so has no records of other kinds either. RFC 8020 */
  readonly nameExists: boolean
  /** Seconds for which the answer may be kept; of an empty one by RFC 2308 §5. */
  readonly ttl: number
  /** The answer was validated with DNSSEC by a resolver that is trusted to say so. */
  readonly authentic: boolean
}

/**
 * TIMEOUT: no answer in time; SERVFAIL: the servers could not answer, answered what can't be read, or refused; CNAME_LOOP:
 * aliases without end; BAD_NAME: no name DNS could hold. All but BAD_NAME may go away by themselves.
 */
export type DnsErrorCode = 'TIMEOUT' | 'SERVFAIL' | 'CNAME_LOOP' | 'BAD_NAME'

/** There is no answer; whether records exist is not known. */
export class DnsError extends Error {
  override readonly name = 'DnsError'
  readonly code: DnsErrorCode
  constructor(code: DnsErrorCode, text: string, options?: ErrorOptions) {
    super(text, options)
    this.code = code
  }
}

/** Asks the domain name system. */
export interface Resolver {
  /**
   * @param name absolute, ASCII (A-labels; underscores allowed), without a trailing dot; case does not matter
   * Rejects with `DnsError`, or with the signal's reason when it is aborted.
   */
  query<K extends DnsKind>(name: string, kind: K, options?: { readonly signal?: AbortSignal | undefined }): Promise<DnsAnswer<K>>
}
