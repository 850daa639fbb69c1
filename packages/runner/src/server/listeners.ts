/** Binds what the configuration asks for, and ends it. */
import type { SecureContext } from 'node:tls'
import type { Config, ListenerConfig } from '@postern/core/config'
import type { ConversationEnd, Engine } from '@postern/core/conversation'
import type { Clock, ConnectionInfo, Logger } from '@postern/core/host'
import { listenImap } from '@postern/imap/node'
import { listenSmtp } from '@postern/smtp/node'
import { loadSecureContext } from './certificates.ts'
import { createImapEngine, createSmtpEngine, type EngineHost } from './engines.ts'
import type { Protocol } from './events.ts'
import type { Endpoint } from './mail-server.ts'
import type { MailBackend } from './smtp-backend.ts'
import { MailServerError } from './mail-server-error.ts'

export type SmtpService = NonNullable<ListenerConfig['smtp']>

export interface ListenerHost extends EngineHost {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  newId(): string
  /** The backend of one SMTP listener; of mail that came by none when there are no settings. */
  backendOf(settings: SmtpService | undefined): MailBackend
  /** A conversation has begun; its end settles the promise. */
  began(id: string, protocol: Protocol, connection: ConnectionInfo, ended: Promise<ConversationEnd>): void
}

export interface Listener {
  readonly endpoint: Endpoint
  /** Accepts no more, and breaks off what is left after the drain. */
  close(options: { readonly drainMs: number }): Promise<void>
}

/** Binds every listener or none. Rejects with `ConfigError` for a certificate, `MailServerError` LISTEN_FAILED for a port. */
export async function bindListeners(host: ListenerHost): Promise<readonly Listener[]> {
  const bound: Listener[] = []
  try {
    for (const [name, config] of Object.entries(host.config.listeners)) {
      const context = config.tls === undefined ? undefined : await loadSecureContext(name, config.tls)
      for (const address of config.addresses) {
        for (const service of servicesOf(config, host, context)) bound.push(await bind(name, address, service, context, host))
      }
    }
    return bound
  } catch (error) {
    await Promise.all(bound.map((listener) => listener.close({ drainMs: 0 })))
    throw error
  }
}

interface Service {
  readonly protocol: Protocol
  readonly port: number
  readonly createEngine: (connection: ConnectionInfo, id: string) => Engine
}

function servicesOf({ smtp, imap, imaps, ...config }: ListenerConfig, host: ListenerHost, context: SecureContext | undefined): readonly Service[] {
  const hostname = config.hostname ?? host.config.hostname
  const services: Service[] = []
  if (smtp !== undefined) {
    const tls = smtp.requireTls ? { tls: 'required' as const } : context === undefined ? {} : { tls: 'available' as const }
    const settings = { backend: host.backendOf(smtp), hostname, ...tls, maxMessageOctets: smtp.maxMessageSize }
    services.push({ protocol: 'smtp', port: smtp.port, createEngine: (connection, id) => createSmtpEngine(host, settings, connection, id) })
  }
  if (imap !== undefined) {
    const settings = { hostname, tls: context !== undefined, plainAllowed: imap.allowPlainLogin }
    services.push({ protocol: 'imap', port: imap.port, createEngine: (connection, id) => createImapEngine(host, settings, 'imap', connection, id) })
  }
  if (imaps !== undefined) {
    const settings = { hostname, tls: true, plainAllowed: false }
    services.push({ protocol: 'imaps', port: imaps.port, createEngine: (connection, id) => createImapEngine(host, settings, 'imaps', connection, id) })
  }
  return services
}

async function bind(name: string, address: string, service: Service, context: SecureContext | undefined, host: ListenerHost): Promise<Listener> {
  const { protocol, port } = service
  const mode = protocol === 'imaps' ? ('implicit' as const) : ('starttls' as const)
  const listen = protocol === 'smtp' ? listenSmtp : listenImap
  try {
    const listener = await listen({
      listen: { host: address, port },
      clock: host.clock,
      logger: host.logger,
      ...(context === undefined ? {} : { tls: { mode, secureContext: () => context } }),
      newId: host.newId,
      admit({ remoteAddress }) {
        if (host.admission.admit(protocol, remoteAddress)) return true
        host.metrics.connectionRefused(protocol)
        host.logger.info({ protocol, remoteAddress }, 'Connection refused: too many from its network')
        return false
      },
      createEngine: service.createEngine,
      onConversation: ({ id, connection, ended }) => host.began(id, protocol, connection, ended),
    })
    const url = `${protocol}://${address.includes(':') ? `[${address}]` : address}:${listener.port}`
    return {
      endpoint: { protocol, listener: name, address, port: listener.port, tls: context === undefined ? 'none' : mode, url },
      close: (options) => listener.close(options),
    }
  } catch (error) {
    throw new MailServerError('LISTEN_FAILED', `Can't listen on ${address} port ${port} for ${protocol}: ${(error as Error).message}`, { cause: error })
  }
}
