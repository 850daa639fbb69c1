/** What is known of one network connection, or of a duplex stream that stands for one. */
export interface ConnectionInfo {
  /** Peer's IP address in text form, without brackets or zone; absent for in-process streams. */
  readonly remoteAddress?: string
  readonly remotePort?: number
  /** Our IP address in text form. */
  readonly localAddress?: string
  readonly localPort?: number
  /** Present while the octets are protected by TLS. */
  readonly tls?: TlsInfo
}

/** What a TLS handshake settled. */
export interface TlsInfo {
  /** `TLSv1.2`, `TLSv1.3`. */
  readonly protocol: string
  /** Standard name of the cipher suite, `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string
  /** Name the client asked for (SNI), if any. */
  readonly serverName?: string
}
