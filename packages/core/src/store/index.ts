export type { AccountStore, AppendResult, CreateResult, DeleteResult, NewMessage, RenameResult } from './account.ts'
export type { Spool, SpooledMessage } from './blob.ts'
export type { AccountNotice, MailboxChanges } from './change.ts'
export type { MailStore, StoreErrorCode } from './mail-store.ts'
export { StoreError } from './mail-store.ts'
export { addKeywords, foldKeyword, keywordPlaces } from './keyword-names.ts'
export type { MailboxName } from './mailbox-name.ts'
export { parentNames, parseMailboxName } from './mailbox-name.ts'
export type { MessageLayout } from './message-layout.ts'
export { layOutMessage } from './message-layout.ts'
export type {
  CopyResult,
  FlagChange,
  Mailbox,
  MailboxSnapshot,
  MailboxStatus,
  OpenMailbox,
  SpecialUse,
  StoreFlagsResult,
} from './mailbox.ts'
export type { FlagSet, InternalDate, ListRecord, MessageRow, RowParts } from './message.ts'
export { Flag, FLAG_NAMES } from './message.ts'
export type { EmailId, MailboxId, ModSeq, SequenceNumber, Uid, UidRange, UidRanges } from './numbers.ts'
export { MAX_UID } from './numbers.ts'
export { UidList } from './uid-list.ts'
export type {
  ArrivalCount,
  Correspondent,
  FilingPolicy,
  Judgement,
  KeepRejectResult,
  ReceptionFacts,
  RejectLimits,
  SenderIdentity,
  SenderIdentityKind,
} from './reception.ts'
export { ARRIVALS_KEPT_SECONDS, judgedJunk, localpartNumber, MAX_JUDGEMENTS } from './reception.ts'
export type {
  AccountTraining,
  CorpusRebuild,
  CountedMessage,
  RebuiltMessage,
  SettleResult,
  TrainingState,
  WordVerdict,
  WaitingMessage,
  WaitingTraining,
  WordCorpus,
  WordCounts,
  WordDelta,
} from './training.ts'
