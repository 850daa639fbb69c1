/**
 * Which octets of a message a section is, before any is read: a range of it, or fields to be chosen from one.
 * Not here: reading them.
 */
import { LISTED_FIELD_NAMES, selectFields, selectSection, type MessageStructure } from '@postern/core/message'
import type { MessageRow } from '@postern/core/store'
import type { FieldChoice, Partial, Section } from './section.ts'

/** LIMIT: octets of a header that fields are chosen from, all of it held in memory; real ones have some 10,000. */
const MAX_HEADER_OCTETS = 1_048_576

/** Where the octets of a section come from. */
export type SectionOctets =
  /** `[from, to)` of the message. */
  | { readonly kind: 'range'; readonly from: number; readonly to: number }
  /** Fields of the header at `[from, to)` of the message, then the partial of what was chosen. */
  | { readonly kind: 'fields'; readonly from: number; readonly to: number; readonly choice: FieldChoice }
  /** The message has no such part: NIL. */
  | { readonly kind: 'none' }

const NONE: SectionOctets = { kind: 'none' }

/** Whether a list record, when it is complete, answers the section. */
export function isListedSection(section: Section): boolean {
  const { fields } = section
  if (section.numbers.length > 0 || fields?.choose !== 'named') return false
  return fields.names.every((name) => LISTED_FIELD_NAMES.indexOf(name, 0, name.length) >= 0)
}

/** The octets of a listed section, or `undefined` when the list record lacks some. */
export function listedOctets(section: Section, row: MessageRow): Uint8Array | undefined {
  if (section.fields === undefined || row.list === undefined || !row.list.complete) return undefined
  return selectFields(row.list.fields, section.fields.set, 'named')
}

/**
 * Finds a section that is not listed.
 * @param structure needed unless the section is the whole message
 */
export function locateSection(
  section: Section,
  partial: Partial | undefined,
  message: { readonly sizeOctets: number; readonly structure: MessageStructure | undefined },
): SectionOctets {
  const { numbers, text, fields } = section
  const isWhole = numbers.length === 0 && text === 'body'
  const range = isWhole
    ? { from: 0, to: message.sizeOctets }
    : message.structure && selectSection(message.structure, numbers, text)
  if (range === undefined) return NONE
  if (fields !== undefined) {
    return { kind: 'fields', from: range.from, to: Math.min(range.to, range.from + MAX_HEADER_OCTETS), choice: fields }
  }
  return { kind: 'range', ...cutRange(range.from, range.to, partial) }
}

/** The part of `[from, to)` that a partial leaves: empty when it begins beyond the end. */
function cutRange(from: number, to: number, partial: Partial | undefined): { from: number; to: number } {
  if (partial === undefined) return { from, to }
  const start = Math.min(to, from + partial.origin)
  return { from: start, to: Math.min(to, start + partial.length) }
}

/** The octets of a partial of octets at hand. */
export function cutOctets(octets: Uint8Array, partial: Partial | undefined): Uint8Array {
  if (partial === undefined) return octets
  const { from, to } = cutRange(0, octets.length, partial)
  return octets.subarray(from, to)
}
