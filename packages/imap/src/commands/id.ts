/** ID. RFC 2971 §3 */
import { ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { ANY_STATE } from '../session/states.ts'
import type { Reader } from '../syntax/reader.ts'
import { responseLine } from '../syntax/writer.ts'

/** RFC 2971 §3.3 */
const MAX_FIELDS = 30
const MAX_NAME = 30
const MAX_VALUE = 1024

export const id: BoundCommand = command<ReadonlyMap<string, string>>({
  verb: 'ID',
  states: ANY_STATE,
  // id = "ID" SP id_params_list      RFC 2971 §4
  parse(reader) {
    reader.space()
    return readFields(reader)
  },
  run(fields, session, out) {
    const { id, onEvent } = session.services
    if (fields.size > 0) onEvent?.({ kind: 'client', id, fields })
    // No version: it would only serve those who look for known faults.
    out.write(responseLine('* ID ("name" "Postern")'))
    return ok('ID completed')
  },
})

// id_params_list = "(" *(string SP nstring) ")" / nil
function readFields(reader: Reader): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  if (reader.peek() !== '(') {
    reader.expectWord('NIL')
    return fields
  }
  let count = 0
  reader.list(() => {
    const name = reader.string()
    reader.space()
    const value = reader.nstring()
    count += 1
    if (count > MAX_FIELDS || name.length > MAX_NAME) reader.fail('id', 'at most 30 fields with short names')
    if ((value?.length ?? 0) > MAX_VALUE) reader.fail('id', 'a shorter value')
    if (value !== undefined) fields.set(name.toLowerCase(), value)
  }, 'empty')
  return fields
}
