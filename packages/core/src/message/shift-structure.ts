/**
 * A message's tree with octets put before the message: a store keeps a message as it came and its trace fields apart.
 */
import type { MessageStructure, Part } from './structure.ts'

/** A part whose parts are still being shifted. */
interface Shifting {
  readonly source: Part
  readonly part: { -readonly [K in keyof Part]: Part[K] } & { children: Part[] }
}

/**
 * The structure of the message with `prefixOctets` octets of header lines before it: these belong to its header, all
 * else lies that much later.
 */
export function shiftStructure(structure: MessageStructure, prefixOctets: number): MessageStructure {
  if (prefixOctets === 0) return structure
  const root = shifted(structure.root, prefixOctets)
  const pending: Shifting[] = [root]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const child of next.source.children) {
      const copy = shifted(child, prefixOctets)
      next.part.children.push(copy.part)
      pending.push(copy)
    }
    if (next.source.message !== undefined) {
      const copy = shifted(next.source.message, prefixOctets)
      next.part.message = copy.part
      pending.push(copy)
    }
  }
  return { ...structure, root: { ...root.part, headerStart: structure.root.headerStart } }
}

function shifted(source: Part, by: number): Shifting {
  const part = {
    ...source,
    headerStart: source.headerStart + by,
    bodyStart: source.bodyStart + by,
    end: source.end + by,
    children: [],
  }
  return { source, part }
}
