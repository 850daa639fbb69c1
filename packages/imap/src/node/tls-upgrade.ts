/** TLS for a connection that is there already: STARTTLS, and the first thing on ports where TLS comes first. */
import type { Duplex } from 'node:stream'
import { type SecureContext, TLSSocket } from 'node:tls'
import type { Clock, TlsInfo } from '@postern/core/host'

/** Certificates and rules of a listener. */
export interface ServerTls {
  /** Asked at each handshake, so that a renewed certificate is used at once. Makes contexts of TLS 1.2 or newer. */
  readonly secureContext: () => SecureContext
  /** Chooses by the name the client asked for (SNI); `undefined` keeps `secureContext`. */
  readonly selectContext?: (serverName: string) => SecureContext | undefined
  /** Protocol names taken from clients that offer any; a client that offers only others is refused. Default `imap`. RFC 7301, threat 21 */
  readonly alpnProtocols?: readonly string[]
  /** LIMIT: for the whole handshake. Default 60 seconds. */
  readonly handshakeTimeoutMs?: number
}

/** A stream under TLS. */
export interface SecuredStream {
  readonly stream: Duplex
  readonly tls: TlsInfo
}

/** Does the server's half of a handshake on `stream`. Rejects, with the stream destroyed, when it fails, takes too long or breaks off. */
export function startTls(stream: Duplex, tls: ServerTls, clock: Clock): Promise<SecuredStream> {
  return new Promise((resolve, reject) => {
    const { selectContext } = tls
    const secured = new TLSSocket(stream, {
      isServer: true,
      secureContext: tls.secureContext(),
      ALPNProtocols: [...(tls.alpnProtocols ?? ['imap'])],
      ...(selectContext === undefined
        ? {}
        : { SNICallback: (name, callback) => callback(null, selectContext(name)) }),
    })
    const timer = clock.timer(tls.handshakeTimeoutMs ?? 60_000, () => fail(new Error('TLS handshake took too long')))
    function fail(error: Error): void {
      timer.cancel()
      secured.destroy()
      stream.destroy()
      reject(error)
    }
    function onClose(): void {
      fail(new Error('Connection closed in the TLS handshake'))
    }
    secured.on('error', fail)
    // A broken record after the handshake is told by this event only, to sockets that have no tls.Server.
    secured.on('_tlsError', (error: Error) => secured.destroy(error))
    // A half-open socket isn't closed by a peer that has ended.
    secured.once('end', onClose)
    secured.once('close', onClose)
    stream.once('close', onClose)
    secured.once('secure', () => {
      timer.cancel()
      secured.off('error', fail)
      secured.off('end', onClose)
      secured.off('close', onClose)
      stream.off('close', onClose)
      secured.disableRenegotiation()
      resolve({ stream: secured, tls: tlsInfo(secured) })
    })
  })
}

function tlsInfo(secured: TLSSocket): TlsInfo {
  const cipher = secured.getCipher()
  // Set by the handshake to the name asked for, or `false`; not in the published types.
  const { servername: serverName } = secured as { readonly servername?: string | false }
  return {
    protocol: secured.getProtocol() ?? 'unknown',
    cipher: cipher.standardName,
    ...(typeof serverName === 'string' ? { serverName } : {}),
  }
}
