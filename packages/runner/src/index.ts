export type { Config, ConfigInput, ConfigIssue } from '@postern/core/config'
export { ConfigError, formatConfigIssue, parseConfig } from '@postern/core/config'
export type { MailStore } from '@postern/core/store'
export { StoreError } from '@postern/core/store'
export type { LogLevel } from './host/log.ts'
export { createLogger } from './host/log.ts'
export { createMailServer } from './server/create-mail-server.ts'
export type { EventName, MailEvents, MailEventSource, Protocol } from './server/events.ts'
export type {
  Account,
  Accounts,
  CloseReport,
  Endpoint,
  MailServer,
  MailServerOptions,
  SmtpReply,
  StreamInfo,
} from './server/mail-server.ts'
export { MailServerError } from './server/mail-server-error.ts'
export type { MessageInput, MessageSource } from './server/message-input.ts'
export { lmdbStore } from './store/lmdb-store.ts'
export { memoryStore } from './store/memory-store.ts'
