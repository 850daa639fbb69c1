/** The change log as one mailbox needs it, read within one slice: which UIDs came, went or changed after a modseq. */
import type { UidRange, UidRanges } from '@postern/core/store'
import type { AccountKeys } from './account-keys.ts'
import { parseTombKey } from './account-keys.ts'
import { keyAfter } from './key-octets.ts'
import { decodeLog } from './log-record.ts'
import type { Reader } from './ordered-store.ts'
import { decodeTomb } from './tomb-record.ts'
import { uniteRanges } from './uid-ranges.ts'

/**
 * LIMIT: modseqs the log reaches back. What is older may have been trimmed; who is further behind compares pages,
 * which for a million messages takes 14 ms.
 */
export const LOG_MODSEQS = 10_000
const READ_LOG = 64
const READ_TOMBS = 16

export interface MailboxLog {
  /** UIDs given out, whether or not they are still there. */
  readonly arrived: UidRanges
  /** UIDs whose flags may have changed. */
  readonly flagged: UidRanges
  /** UIDs that went, those that had arrived in between too. */
  readonly expunged: UidRanges
}

/** @returns undefined when the log no longer tells all of it */
export function readMailboxLog(
  reader: Reader,
  keys: AccountKeys,
  mailbox: number,
  since: number,
  upTo: number,
): MailboxLog | undefined {
  if (since < upTo - LOG_MODSEQS) return undefined
  const arrived: UidRange[] = []
  const flagged: UidRange[] = []
  const expunged: UidRange[] = []
  let isExact = true
  let { from } = keys.logAfter(since)
  const { to } = keys.logAfter(since)
  for (;;) {
    const records = reader.range({ from, to, limit: READ_LOG })
    for (const { value } of records) {
      for (const entry of decodeLog(value)) {
        if (entry.kind === 'anything') return undefined
        if (entry.mailbox !== mailbox) continue
        if (entry.kind === 'arrived') arrived.push(...entry.uids)
        if (entry.kind === 'flags') flagged.push(...entry.uids)
        if (entry.kind === 'expunged') {
          expunged.push(...entry.uids)
          isExact &&= entry.exact
        }
      }
    }
    const last = records.at(-1)
    if (last === undefined || records.length < READ_LOG) break
    from = keyAfter(last.key)
  }
  return {
    arrived: uniteRanges(arrived),
    flagged: uniteRanges(flagged),
    expunged: isExact ? uniteRanges(expunged) : readExpunged(reader, keys, mailbox, since, upTo),
  }
}

/** UIDs expunged after a modseq, by the tombstones. */
export function readExpunged(
  reader: Reader,
  keys: AccountKeys,
  mailbox: number,
  since: number,
  upTo: number,
): UidRanges {
  const expunged: UidRange[] = []
  let { from } = keys.tombsAfter(mailbox, since, upTo)
  const { to } = keys.tombsAfter(mailbox, since, upTo)
  for (;;) {
    const records = reader.range({ from, to, limit: READ_TOMBS })
    for (const { key, value } of records) {
      if (parseTombKey(key).modseq <= since) continue
      const tomb = decodeTomb(value)
      if (tomb.kind === 'ranges') expunged.push(...tomb.uids)
      else for (const { uid } of tomb.rows) expunged.push({ first: uid, last: uid } as UidRange)
    }
    const last = records.at(-1)
    if (last === undefined || records.length < READ_TOMBS) return uniteRanges(expunged)
    from = keyAfter(last.key)
  }
}
