/** The hierarchy in mailbox names. */

/** Names above a name, the highest first. */
export function parentsOf(name: string): readonly string[] {
  const parents: string[] = []
  for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) parents.push(name.slice(0, at))
  return parents
}
