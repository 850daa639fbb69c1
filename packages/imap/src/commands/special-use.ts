/** Names of special uses as commands write them. RFC 6154 §2 */
import type { SpecialUse } from '@postern/core/store'

const USES: readonly SpecialUse[] = ['\\All', '\\Archive', '\\Drafts', '\\Flagged', '\\Junk', '\\Sent', '\\Trash']
const BY_NAME: ReadonlyMap<string, SpecialUse> = new Map(USES.map((use) => [use.toLowerCase(), use]))

/** @param name with its backslash, in any case */
export function parseSpecialUse(name: string): SpecialUse | undefined {
  return BY_NAME.get(name.toLowerCase())
}
