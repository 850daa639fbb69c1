/** Serves one IMAP conversation on a stream that is there already. Not here: where connections come from (listen.ts). */
import type { Duplex } from 'node:stream'
import { type ConversationControl, type ConversationEnd, drive, type Engine } from '@postern/core/conversation'
import type { Clock, ConnectionInfo } from '@postern/core/host'
import { type ServerTls, startTls } from './tls-upgrade.ts'

/** What serving takes beside the stream. */
export interface ImapServeOptions {
  /** Makes the engine of a conversation; `connection.tls` is there when TLS came first. */
  readonly createEngine: (connection: ConnectionInfo) => Engine
  /** `starttls`: the engine begins it when asked to; `implicit`: before the greeting (RFC 8314 §3.3). Absent: there is no TLS. */
  readonly tls?: ServerTls & { readonly mode: 'starttls' | 'implicit' }
  readonly clock: Clock
  /** How long a peer may leave what we wrote unread. Default 5 minutes. */
  readonly writeTimeoutMs?: number
}

/**
 * Runs one conversation to its end.
 * @param stream owned from here on; a socket should allow half-open connections
 * @param onStart told when the conversation itself begins, after implicit TLS
 * @returns how it ended: never rejects; reason `tls` when implicit TLS could not be started, `fault` when no engine could be made
 */
export async function serveImap(
  stream: Duplex,
  connection: ConnectionInfo,
  options: ImapServeOptions,
  onStart?: (control: ConversationControl) => void,
): Promise<ConversationEnd> {
  const { tls, clock, writeTimeoutMs } = options
  const silent = (): void => {}
  // Until the conversation listens, and after it has stopped, a reset has nobody to tell and must not be uncaught.
  stream.on('error', silent)
  let reason: 'tls' | 'fault' = 'tls'
  try {
    const secured = tls?.mode === 'implicit' ? await startTls(stream, tls, clock) : undefined
    reason = 'fault'
    const engine = options.createEngine(secured === undefined ? connection : { ...connection, tls: secured.tls })
    return await drive(engine, secured?.stream ?? stream, {
      clock,
      ...(tls?.mode === 'starttls' ? { upgrade: (plain) => startTls(plain, tls, clock) } : {}),
      ...(writeTimeoutMs === undefined ? {} : { writeTimeoutMs }),
      ...(onStart === undefined ? {} : { onStart }),
    })
  } catch (error) {
    stream.destroy()
    return { reason, octetsIn: 0, octetsOut: 0, error }
  }
}
