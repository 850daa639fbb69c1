/** Untagged responses about the selected mailbox. RFC 3501 §7.2.6, §7.3, §7.4 */
import { formatMailboxFlags, formatPermanentFlags } from '../syntax/flag.ts'
import { responseLine } from '../syntax/writer.ts'
import { statusLine } from './completion.ts'

export function existsLine(messages: number): Uint8Array {
  return responseLine(`* ${messages} EXISTS`)
}

export function recentLine(messages: number): Uint8Array {
  return responseLine(`* ${messages} RECENT`)
}

export function expungeLine(sequence: number): Uint8Array {
  return responseLine(`* ${sequence} EXPUNGE`)
}

/** @param keywords names of the mailbox's own keywords */
export function flagsLine(keywords: readonly string[]): Uint8Array {
  return responseLine(`* FLAGS ${formatMailboxFlags(keywords)}`)
}

export function permanentFlagsLine(keywords: readonly string[], readOnly: boolean): Uint8Array {
  const flags = readOnly ? '()' : formatPermanentFlags(keywords)
  return statusLine('OK', readOnly ? 'No flags can be changed' : 'Flags that are kept', `PERMANENTFLAGS ${flags}`)
}

/** Flags of one message, told unasked; always with its UID. @param flags with parentheses */
export function fetchFlagsLine(sequence: number, uid: number, flags: string): Uint8Array {
  return responseLine(`* ${sequence} FETCH (UID ${uid} FLAGS ${flags})`)
}
