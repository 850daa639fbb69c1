/** SMTP server: the engine of one conversation, and what it asks of its host. */
export { createSmtpServerEngine } from './engine.ts'
export type {
  Answer,
  Destination,
  DsnParameters,
  Envelope,
  MailParameters,
  MessageReply,
  NotifyCondition,
  OriginalRecipient,
  RecipientOptions,
  SmtpBackend,
  SmtpPeer,
  Verdict,
} from './session/backend.ts'
export type { SmtpLimits } from './session/limits.ts'
export { defaultLimits } from './session/limits.ts'
export type { SmtpServerEngineOptions, TlsPolicy } from './session/settings.ts'
export type { LineQuirks } from '../syntax/command-line.ts'
export type { Reply } from '../syntax/reply.ts'
export { formatReply } from '../syntax/reply.ts'
