import { describe, expect, test } from 'vitest'
import { commands } from '../../src/server/commands/index.ts'
import { isInTransaction, type State, stateTable, statesOf, type Verb } from '../../src/server/session/states.ts'

const states = Object.keys(stateTable) as State[]

describe('the state table', () => {
  test('has a command for every verb, and every command is somewhere allowed', () => {
    const verbs = new Set(states.flatMap((state) => Object.keys(stateTable[state])))
    verbs.delete('BDAT LAST')
    expect([...commands.keys()].sort()).toEqual([...verbs].sort())
    for (const verb of commands.keys()) expect(statesOf(verb as Verb)).not.toEqual([])
  })

  test('has no dead end: QUIT goes everywhere, and mail can be sent from wherever a conversation gets', () => {
    for (const state of states) {
      expect(stateTable[state].QUIT).toBeDefined()
      if (state !== 'refused') expect(reachable(state)).toEqual(new Set<State>(['connected', 'ready', 'mail', 'rcpt', 'chunks']))
    }
  })

  test('keeps a transaction open only between MAIL and the end of DATA or the last chunk', () => {
    for (const state of states) {
      const { RSET, EHLO, HELO, DATA, 'BDAT LAST': last } = stateTable[state]
      for (const next of [RSET, EHLO, HELO, DATA, last]) if (next !== undefined) expect(isInTransaction(next)).toBe(false)
      expect(stateTable[state].STARTTLS === undefined || !isInTransaction(state)).toBe(true)
      expect(stateTable[state].AUTH === undefined || !isInTransaction(state)).toBe(true)
    }
  })

  // RFC 3030 §2: one transaction has its message by DATA or in chunks.
  test('lets neither DATA nor a recipient come between chunks', () => {
    expect(stateTable.rcpt.BDAT).toBe('chunks')
    expect(stateTable.chunks).toMatchObject({ BDAT: 'chunks', 'BDAT LAST': 'ready', RSET: 'ready' })
    for (const verb of ['DATA', 'MAIL', 'RCPT', 'AUTH', 'STARTTLS'] as const) expect(statesOf(verb)).not.toContain('chunks')
  })

  // RFC 5321 §4.1.4: these go before EHLO and at any time after it.
  for (const verb of ['NOOP', 'HELP', 'EXPN', 'VRFY', 'RSET', 'EHLO'] as const) {
    test(`takes ${verb} at any time`, () => {
      expect(statesOf(verb)).toEqual(states.filter((state) => state !== 'refused'))
    })
  }
})

/** States one can get to, STARTTLS left aside: it goes once. */
function reachable(from: State): Set<State> {
  const found = new Set<State>([from])
  for (const state of found) {
    for (const next of Object.values(stateTable[state])) found.add(next)
  }
  return found
}
