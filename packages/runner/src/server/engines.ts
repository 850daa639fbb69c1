/** Makes the engines of conversations: what a listener or a given stream is served by. */
import type { Engine } from '@postern/core/conversation'
import type { Authenticator } from '@postern/core/sasl'
import { limitLogins } from '@postern/core/admission'
import type { Clock, ConnectionInfo, Logger } from '@postern/core/host'
import type { MailStore } from '@postern/core/store'
import { createImapServerEngine } from '@postern/imap/engine'
import { createSmtpServerEngine } from '@postern/smtp/server'
import type { Admission } from './admission.ts'
import type { EventHub } from './events.ts'
import type { ServerMetrics } from './metrics.ts'
import { AnswerTimer } from './metrics-timing.ts'
import type { MailBackend } from './smtp-backend.ts'

export interface EngineHost {
  readonly store: MailStore
  readonly authenticator: Authenticator
  readonly events: EventHub
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly clock: Clock
  readonly admission: Admission
  /** Clients are held to the letter of SMTP. */
  readonly pedantic: boolean
}

export interface SmtpSettings {
  readonly backend: MailBackend
  readonly hostname: string
  /** Absent: there is no TLS. */
  readonly tls?: 'available' | 'required'
  /** Absent: the engine's default. */
  readonly maxMessageOctets?: number
}

export interface ImapSettings {
  readonly hostname: string
  readonly tls: boolean
  readonly plainAllowed: boolean
}

/** @param id unique in the process; stands in replies, logs, events and trace fields */
export function createSmtpEngine(host: EngineHost, settings: SmtpSettings, connection: ConnectionInfo, id: string): Engine {
  const { backend, hostname, tls, maxMessageOctets } = settings
  const timer = new AnswerTimer(host.clock)
  const engine = createSmtpServerEngine({
    backend,
    hostname,
    mode: 'mx',
    pedantic: host.pedantic,
    ...(tls === undefined ? {} : { tls }),
    ...(maxMessageOctets === undefined ? {} : { limits: { maxMessageOctets } }),
    id,
    connection,
    logger: host.logger,
    onReply: ({ verb, code }) => host.metrics.answered('smtp', verb, String(code), timer.lap()),
  })
  return timer.watch(engine)
}

/** @param id as of `createSmtpEngine` */
export function createImapEngine(host: EngineHost, settings: ImapSettings, protocol: 'imap' | 'imaps', connection: ConnectionInfo, id: string): Engine {
  const { store, events, logger, metrics, clock, admission } = host
  const { remoteAddress } = connection
  const timer = new AnswerTimer(clock)
  const authenticator = limitLogins(host.authenticator, admission.failedLogins, {
    remoteAddress,
    nowMs: () => clock.now(),
    onLimited() {
      logger.info({ id, protocol, remoteAddress }, 'Login refused: too many failed')
      events.emit('limited', { what: 'login', key: remoteAddress ?? '' })
    },
  })
  const engine = createImapServerEngine({
    ...settings,
    id,
    connection,
    authenticator,
    logger: logger.child({ id, protocol }),
    login: async (account) => {
      const opened = await store.account(account)
      if (opened === undefined) throw new Error(`Account ${account} is gone`)
      return opened
    },
    onEvent: (event) => {
      if (event.kind === 'command') metrics.answered(protocol, event.verb, event.status, timer.lap())
      if (event.kind !== 'login') return
      const { login, account, mechanism, result } = event
      logger.info({ id, protocol, remoteAddress, login, account, mechanism, result }, result === 'ok' ? 'Logged in' : 'Login failed')
      events.emit('login', { id, protocol, login: login ?? '', mechanism, result })
    },
  })
  return timer.watch(engine)
}
