/** How a command ended: the status response that closes it, as a value. RFC 3501 §7.1 */
import { formatUidRanges } from '../syntax/sequence-set.ts'
import { responseLine } from '../syntax/writer.ts'
import type { CopyResult, UidRange } from '@postern/core/store'

/** The end of a command. The engine alone writes it and does what `next` says. */
export interface Completion {
  /** `BYE` is written untagged and ends the conversation. */
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE'
  /** What stands between the brackets: `TRYCREATE`, `APPENDUID 1 2`. */
  readonly code?: string
  /** Never empty. RFC 3501 §9 (resp-text) */
  readonly text: string
  /** After it: close the connection, or start TLS. */
  readonly next?: 'close' | 'tls'
  /** Wait this long before it is written: a failed login. */
  readonly pauseMs?: number
}

/** @param text a sentence, US-ASCII, not empty  @param code without brackets */
export function ok(text: string, code?: string): Completion {
  return completion('OK', code, text)
}

/** The command can't be done. @param code of RFC 5530 where there is one, without brackets */
export function no(code: string | undefined, text: string): Completion {
  return completion('NO', code, text)
}

/** The command is not understood, or not allowed now. */
export function bad(text: string, code?: string): Completion {
  return completion('BAD', code, text)
}

/** The conversation ends without the command's completion. */
export function bye(text: string, code?: string): Completion {
  return completion('BYE', code, text)
}

/** One line: `a1 OK [CODE] text`. @throws RangeError when code or text can't stand in a line: a fault of the caller */
export function formatCompletion(tag: string, { status, code, text }: Completion): Uint8Array {
  return responseLine(`${status === 'BYE' ? '*' : tag} ${status} ${code === undefined ? '' : `[${code}] `}${text}`)
}

/** An untagged status line. */
export function statusLine(status: 'OK' | 'NO' | 'BAD' | 'BYE', text: string, code?: string): Uint8Array {
  return responseLine(`* ${status} ${code === undefined ? '' : `[${code}] `}${text}`)
}

/** Code of a finished COPY or MOVE. RFC 4315 §3 */
export function copyUid(result: Extract<CopyResult, { kind: 'copied' }>): string {
  return `COPYUID ${result.uidValidity} ${formatUidRanges(result.source)} ${formatUidRanges(result.destination)}`
}

/** Code of a finished APPEND. RFC 4315 §3 */
export function appendUid(uidValidity: number, uids: UidRange): string {
  return `APPENDUID ${uidValidity} ${formatUidRanges([uids])}`
}

function completion(status: Completion['status'], code: string | undefined, text: string): Completion {
  return code === undefined ? { status, text } : { status, code, text }
}
