/** STATUS responses. RFC 3501 §7.2.4 */
import type { MailboxStatus } from '@postern/core/store'
import { encodeMailboxName } from '../syntax/mailbox-name.ts'
import { ResponseWriter } from '../syntax/writer.ts'

/** Counts that can be asked for; SIZE is RFC 8438's. */
export const STATUS_ITEMS = ['MESSAGES', 'RECENT', 'UIDNEXT', 'UIDVALIDITY', 'UNSEEN', 'SIZE'] as const

export type StatusItem = (typeof STATUS_ITEMS)[number]

/** `* STATUS "name" (MESSAGES 3 UNSEEN 1)` */
export function statusResponse(
  name: string,
  items: readonly StatusItem[],
  status: MailboxStatus,
): readonly Uint8Array[] {
  const counts = items.map((item) => `${item} ${countOf(item, status)}`).join(' ')
  return new ResponseWriter('* STATUS ').string(encodeMailboxName(name)).text(` (${counts})`).line()
}

function countOf(item: StatusItem, status: MailboxStatus): number {
  switch (item) {
    case 'MESSAGES':
      return status.messages
    case 'RECENT':
      return status.recent
    case 'UIDNEXT':
      return status.uidNext
    case 'UIDVALIDITY':
      return status.uidValidity
    case 'UNSEEN':
      return status.unseen
    case 'SIZE':
      return status.sizeOctets
  }
}
