/** A message's tree as text, for comparing: a line a part, indented, with its body and lines. */
import type { MessageStructure, Part } from '../../src/message/structure.ts'

/** Text with CR LF for each line feed, as octets. */
export function mail(text: string): Uint8Array {
  return Buffer.from(text.replace(/\n/g, '\r\n'), 'latin1')
}

/**
 * `type/subtype` of each part in order, two spaces a level, a `>` before embedded messages; of leaves lines and body
 * too.
 */
export function outline(octets: Uint8Array, structure: MessageStructure): string[] {
  const lines: string[] = []
  const tell = (part: Part, indent: string): void => {
    const isLeaf = part.children.length === 0 && part.message === undefined
    const body = Buffer.from(octets.subarray(part.bodyStart, part.end)).toString('latin1').replace(/\r\n/g, '\n')
    lines.push(`${indent}${part.type}/${part.subtype}${isLeaf ? ` ${part.bodyLines} ${JSON.stringify(body)}` : ''}`)
    for (const child of part.children) tell(child, `${indent.replace('>', ' ')}  `)
    if (part.message !== undefined) tell(part.message, `${indent.replace('>', ' ')} >`)
  }
  tell(structure.root, '')
  return lines
}

/** All parts, embedded messages too, each with the part it lies in. */
export function allParts(structure: MessageStructure): [part: Part, within: Part | undefined][] {
  const parts: [Part, Part | undefined][] = [[structure.root, undefined]]
  for (const [part] of parts) {
    for (const child of part.children) parts.push([child, part])
    if (part.message !== undefined) parts.push([part.message, part])
  }
  return parts
}
