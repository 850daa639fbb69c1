/** What one conversation is made of: its options as given, and with everything left out filled in. */
import type { ConnectionInfo, Logger } from '@postern/core/host'
import type { LineQuirks } from '../../syntax/command-line.ts'
import type { SmtpBackend } from './backend.ts'
import { defaultLimits, type SmtpLimits } from './limits.ts'
import type { Verb } from './states.ts'

/** `available`: STARTTLS is offered. `required`: nothing else goes before it. `none`: there is no TLS to start. */
export type TlsPolicy = 'none' | 'available' | 'required'

/** Options of an engine. */
export interface SmtpServerEngineOptions {
  readonly backend: SmtpBackend
  /** Our name in the greeting and after EHLO: ASCII. */
  readonly hostname: string
  /** `mx`: mail from other servers, no logins. `submission`: mail from users, who log in first. */
  readonly mode: 'mx' | 'submission'
  /** Whether TLS can be started, or must be before mail. When `connection.tls` is there, TLS is active already. Default `none`. */
  readonly tls?: TlsPolicy
  /** Offer AUTH without TLS too: whoever listens on the way then learns passwords. Default false. */
  readonly plainAllowed?: boolean
  /** What differs from `defaultLimits`. */
  readonly limits?: Partial<SmtpLimits>
  /** Nothing is let pass: localparts of at most 64 octets, no leniencies, no submission of 8-bit data without BODY=8BITMIME. Default false. */
  readonly pedantic?: boolean
  /** Leniencies; by default a space after the colon anywhere, white space at the end of a line in mode `mx`, none when pedantic. */
  readonly quirks?: Partial<LineQuirks>
  /** Unique in the process, printable ASCII; ends each error reply. */
  readonly id: string
  readonly connection: ConnectionInfo
  readonly logger?: Logger
  /** Told of each reply as it is made, for counters; must not throw. */
  readonly onReply?: (reply: { readonly verb: Verb | undefined; readonly code: number }) => void
}

/** What stays the same for a conversation. */
export interface SessionSettings {
  readonly id: string
  readonly mode: 'mx' | 'submission'
  readonly hostname: string
  readonly tls: TlsPolicy
  readonly plainAllowed: boolean
  readonly pedantic: boolean
  readonly limits: SmtpLimits
  readonly quirks: LineQuirks
  readonly backend: SmtpBackend
}

export function createSettings(options: SmtpServerEngineOptions): SessionSettings {
  const { id, mode, hostname, backend, tls = 'none', plainAllowed = false, pedantic = false } = options
  return {
    id,
    mode,
    hostname,
    backend,
    tls,
    plainAllowed,
    pedantic,
    limits: { ...defaultLimits, ...options.limits },
    quirks: { spaceAfterColon: !pedantic, trailingSpace: mode === 'mx' && !pedantic, ...options.quirks },
  }
}
