/** What a peer hears of a fault of ours: that it should try again, and nothing else. */
import { fault, storeBusy, storeFull } from '../../syntax/reply-codes.ts'
import type { Reply } from '../../syntax/reply.ts'

/** Codes of `StoreError`, and of the file system for hosts that let them through. */
const FULL = new Set(['STORE_FULL', 'ENOSPC', 'EDQUOT'])

/** @param error anything that was thrown */
export function selectFaultReply(error: unknown): Reply {
  const code = codeOf(error)
  if (FULL.has(code)) return storeFull
  return code === 'STORE_BUSY' ? storeBusy : fault
}

/** Whether a fault is a condition the store reports by itself, rather than a defect. */
export function isExpectedFault(error: unknown): boolean {
  const code = codeOf(error)
  return FULL.has(code) || code === 'STORE_BUSY'
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}
