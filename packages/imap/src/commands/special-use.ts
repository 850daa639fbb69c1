/** Special uses a client may give to a mailbox. RFC 6154 §2, §3 */
import type { SpecialUse } from '@postern/core/store'

/** Not \All and \Flagged: such mailboxes would have to show messages of others. */
const USES: readonly SpecialUse[] = ['\\Archive', '\\Drafts', '\\Junk', '\\Sent', '\\Trash']
const BY_NAME: ReadonlyMap<string, SpecialUse> = new Map(USES.map((use) => [use.toLowerCase(), use]))

/** @param name with its backslash, in any case */
export function parseSpecialUse(name: string): SpecialUse | undefined {
  return BY_NAME.get(name.toLowerCase())
}
