/** CREATE, with the special use of a mailbox. RFC 3501 §6.3.3, RFC 6154 §3 */
import type { SpecialUse } from '@postern/core/store'
import { no, ok } from '../responses/completion.ts'
import { command, type BoundCommand } from '../session/command.ts'
import { AUTHENTICATED } from '../session/states.ts'
import type { Reader } from '../syntax/reader.ts'
import { parseSpecialUse } from './special-use.ts'

interface CreateArguments {
  readonly name: string
  /** `unknown` stands for a use there is no such thing as. */
  readonly uses: readonly (SpecialUse | 'unknown')[]
}

export const create: BoundCommand = command<CreateArguments>({
  verb: 'CREATE',
  states: AUTHENTICATED,
  // create = "CREATE" SP mailbox [create-params]
  parse(reader) {
    reader.space()
    const name = reader.mailbox()
    const uses = reader.acceptSpace() ? readUses(reader) : []
    // A separator at the end says only that children will follow. RFC 3501 §6.3.3
    return { name: name.endsWith('/') ? name.slice(0, -1) : name, uses }
  },
  async run({ name, uses }, session) {
    const known = uses.filter((use) => use !== 'unknown')
    if (known.length < uses.length) return no('USEATTR', 'No such special use')
    const result = await session.account.create(name, { specialUse: known })
    switch (result.kind) {
      case 'created':
        return ok('CREATE completed')
      case 'exists':
        return no('ALREADYEXISTS', 'Mailbox exists already')
      case 'bad-name':
        return no('CANNOT', result.reason)
    }
  },
})

// create-params = "(" "USE" SP "(" [use-attr *(SP use-attr)] ")" ")"      RFC 6154 §6, RFC 4466 §2.2
function readUses(reader: Reader): readonly (SpecialUse | 'unknown')[] {
  reader.expect('(')
  reader.expectWord('USE')
  reader.space()
  const uses = reader.list(() => {
    reader.expect('\\')
    return parseSpecialUse(`\\${reader.atom()}`) ?? ('unknown' as const)
  }, 'empty')
  reader.expect(')')
  return uses
}
