/** LIST and LSUB responses. RFC 3501 §7.2.2, §7.2.3 */
import { encodeMailboxName } from '../syntax/mailbox-name.ts'
import { ResponseWriter } from '../syntax/writer.ts'

/** What is told of one mailbox name. */
export interface ListedMailbox {
  /** `\HasChildren`, `\Sent`, … in the order they are written. */
  readonly attributes: readonly string[]
  /** As a store knows it. */
  readonly name: string
  /** Criteria a mailbox below meets; none: nothing is told of it. RFC 5258 §3.5 */
  readonly childInfo?: readonly string[]
}

/** `* LIST (\HasNoChildren) "/" "name"` */
export function listLine(verb: 'LIST' | 'LSUB', listed: ListedMailbox): readonly Uint8Array[] {
  const { attributes, name, childInfo = [] } = listed
  const writer = new ResponseWriter(`* ${verb} (${attributes.join(' ')}) "/" `).string(encodeMailboxName(name))
  if (childInfo.length > 0) writer.text(` ("CHILDINFO" (${childInfo.map((criterion) => `"${criterion}"`).join(' ')}))`)
  return writer.line()
}
