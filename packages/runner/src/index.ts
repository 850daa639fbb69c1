export type { AdmissionLimits, ClassLimits } from '@postern/core/admission'
export { defaultAdmissionLimits, noAdmissionLimits } from '@postern/core/admission'
export type { AnalysisSummary, Classification, Classifier, Signal } from '@postern/core/analysis'
export type { Config, ConfigInput, ConfigIssue } from '@postern/core/config'
export { ConfigError, formatConfigIssue, parseConfig } from '@postern/core/config'
export type { RefusalReason } from '@postern/core/delivery'
export type { Clock, Counter, Gauge, Histogram, HistogramMetric, Logger, Metric, Metrics, Random, Resolver, Series } from '@postern/core/host'
export type { Authenticator } from '@postern/core/sasl'
export type { MailStore, SpooledMessage } from '@postern/core/store'
export { StoreError } from '@postern/core/store'
export type { LogLevel } from './host/log.ts'
export { createLogger } from './host/log.ts'
export type { NetworkResolver, ResolverEvent, ResolverLimits, ResolverOptions } from './host/resolver.ts'
export { createResolver } from './host/resolver.ts'
export { createMailServer } from './server/create-mail-server.ts'
export type { EventName, MailEvents, MailEventSource, Protocol } from './server/events.ts'
export type {
  Decision,
  DeliverHookContext,
  FailRule,
  FileDecision,
  Hook,
  HookEnvelope,
  HookFunction,
  HookPolicy,
  Hooks,
  MessageHookContext,
  ReceivedMessage,
  SessionContext,
} from './server/hooks.ts'
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
export type { RetrainOptions, RetrainReport } from './server/junk-retrain.ts'
export { MailServerError } from './server/mail-server-error.ts'
export type { KeptReport, ReportKind, ReportListQuery, ReportPeriod, Reports } from './server/reports.ts'
export type { MessageInput, MessageSource } from './server/message-input.ts'
export type { TextEnvelope } from './server/receive-message.ts'
export { lmdbStore } from './store/lmdb-store.ts'
export { memoryStore } from './store/memory-store.ts'
