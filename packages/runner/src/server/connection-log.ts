/** Lines about a conversation bear its number beside its name, so that they can be put in order and looked up. */
import type { Logger } from '@postern/core/host'
import { mapFields } from '../host/log.ts'
import type { ConnectionIds } from './connection-ids.ts'

/** Adds `cid` to lines with an `id` of ours. */
export function createConnectionLog(logger: Logger, ids: Pick<ConnectionIds, 'numberOf'>): Logger {
  // A message makes several lines in a row.
  let last: { readonly id: string; readonly cid: string | undefined } | undefined
  return mapFields(logger, (fields) => {
    const { id } = fields as { readonly id?: unknown }
    if (typeof id !== 'string') return fields
    if (last?.id !== id) last = { id, cid: ids.numberOf(id)?.toString() }
    return last.cid === undefined ? fields : { cid: last.cid, ...fields }
  })
}
