/** The filter of content of a whole server: what judges, what learns, and what both read words with. */
import type { Classifier } from '@postern/core/analysis'
import type { Config, ConfigIssue } from '@postern/core/config'
import type { Directory } from '@postern/core/directory'
import type { Clock, Logger } from '@postern/core/host'
import type { MailStore, SpooledMessage } from '@postern/core/store'
import type { ReadWords } from '@postern/junk/filter'
import { SCORINGS } from '@postern/junk/scoring'
import type { EventHub } from './events.ts'
import { createJunkClassifier, isScoring } from './junk-classifier.ts'
import { readCountsFile } from './junk-counts-file.ts'
import { createJunkReader } from './junk-reader.ts'
import { JunkTrainer } from './junk-trainer.ts'
import type { MessageThread } from './message-thread.ts'

export interface JunkServiceHost {
  readonly store: MailStore
  readonly thread: MessageThread
  readonly clock: Clock
  readonly logger: Logger
  readonly events: EventHub
  readonly directory: () => Directory
  /** File of counts that every account begins with. */
  readonly baseline?: string | undefined
}

export interface JunkService {
  readonly classifier: Classifier
  /** Words of messages on their way in; who reads them before they are asked for puts them here. */
  readonly readings: WeakMap<SpooledMessage, ReadWords>
  readonly trainer: JunkTrainer
  /** Before the store is closed. */
  close(): Promise<void>
}

/** Rejects when the file of counts can't be read. */
export async function createJunkService({ store, thread, clock, logger, events, directory, baseline }: JunkServiceHost): Promise<JunkService> {
  const counts = baseline === undefined ? undefined : await readCountsFile(baseline)
  const reader = createJunkReader(thread)
  const readings = new WeakMap<SpooledMessage, ReadWords>()
  const trainer = new JunkTrainer({
    store,
    clock,
    logger,
    reader,
    isEnabled: (account) => directory().settingsOf(account)?.junkFilter.enabled ?? false,
    trained: (trained) => events.emit('trained', trained),
  })
  return {
    classifier: createJunkClassifier({ store, directory, reader, readings, baseline: counts }),
    readings,
    trainer,
    close: () => trainer.close(),
  }
}

/** What is wrong with the accounts' settings of the filter, which core can't know. */
export function checkJunkFilters({ accounts }: Config): readonly ConfigIssue[] {
  return Object.entries(accounts).flatMap(([name, { junkFilter }]): ConfigIssue[] =>
    junkFilter.scoring === undefined || isScoring(junkFilter.scoring)
      ? []
      : [{ severity: 'error', path: ['accounts', name, 'junkFilter', 'scoring'], code: 'invalid', text: `Must be one of ${Object.keys(SCORINGS).join(', ')}` }],
  )
}
