/** Random MIME trees for properties. */
import type { MessageStructure, Part } from '@postern/core/message'
import fc from 'fast-check'

const text = fc.string({ unit: 'binary', maxLength: 12 })
const parameters = fc.array(fc.tuple(text, text), { maxLength: 3 })
const octets = fc.uint8Array({ maxLength: 20 })
const size = fc.nat({ max: 2 ** 31 })

function optional<T, K extends string>(name: K, value: fc.Arbitrary<T>): fc.Arbitrary<{ [P in K]?: T }> {
  return fc.oneof(
    fc.constant({}),
    value.map((given) => ({ [name]: given }) as { [P in K]: T }),
  )
}

const ENVELOPE = ['date', 'subject', 'from', 'sender', 'replyTo', 'to', 'cc', 'bcc', 'inReplyTo', 'messageId'] as const
const envelope = fc
  .array(fc.tuple(fc.constantFrom(...ENVELOPE), octets), { maxLength: 10 })
  .map((fields) => Object.fromEntries(fields))

const { part } = fc.letrec<{ part: Part }>((tie) => ({
  part: fc
    .tuple(
      fc.record({ headerStart: size, header: size, body: size, bodyLines: size }),
      fc.record({ type: text, subtype: text, parameters, transferEncoding: text }),
      optional('contentId', text),
      optional('description', text),
      optional('md5', text),
      optional('location', text),
      optional('language', fc.array(text, { maxLength: 3 })),
      optional('disposition', fc.record({ type: text, parameters })),
      optional('envelope', envelope),
      fc.oneof({ depthIdentifier: 'tree', maxDepth: 3 }, fc.constant([]), fc.array(tie('part'), { maxLength: 3 })),
      fc.oneof({ depthIdentifier: 'tree', maxDepth: 3 }, fc.constant({}), fc.record({ message: tie('part') })),
    )
    .map(([{ headerStart, header, body, bodyLines }, names, ...rest]) => {
      const children = rest[7]
      const fields = Object.assign({}, ...rest.slice(0, 7), rest[8]) as Partial<Part>
      const bodyStart = headerStart + header
      return { headerStart, bodyStart, end: bodyStart + body, bodyLines, ...names, ...fields, children }
    }),
}))

export const arbitraryStructure: fc.Arbitrary<MessageStructure> = fc.record({
  root: part,
  truncated: fc.boolean(),
  hasSeparator: fc.boolean(),
})
