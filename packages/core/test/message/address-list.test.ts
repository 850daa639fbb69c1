import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { type AddressEntry, decodeAddressList, parseAddressList } from '../../src/message/index.ts'
import { corpusFile } from '../address/corpora.ts'
import { fieldValue, growth, octetsOf } from './octets.ts'

type Row = [name: string | null, localpart: string, domain: string] | [group: string] | []

describe('address lists', () => {
  test.each<[string, Row[]]>([
    // RFC 5322 appendix A.1
    ['John Doe <jdoe@machine.example>', [['John Doe', 'jdoe', 'machine.example']]],
    [
      'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
      [['Mary Smith', 'mary', 'x.test'], [null, 'jdoe', 'example.org'], ['Who?', 'one', 'y.test']],
    ],
    ['<boss@nil.test>, "Giant; \\"Big\\" Box" <s@example.net>', [[null, 'boss', 'nil.test'], ['Giant; "Big" Box', 's', 'example.net']]],
    [
      'A Group:Ed Jones <c@a.test>,joe@where.test;',
      [['A Group'], ['Ed Jones', 'c', 'a.test'], [null, 'joe', 'where.test'], []],
    ],
    ['Undisclosed recipients:;', [['Undisclosed recipients'], []]],
    // RFC 5322 appendix A.5 and A.6
    ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', [['Pete', 'pete', 'silly.test']]],
    ['A Group(Some people)\r\n     :Chris Jones <c@(Chris\'s host.)public.example>;', [['A Group'], ['Chris Jones', 'c', 'public.example'], []]],
    ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', [['Hidden recipients'], []]],
    ['Joe Q. Public <john.q.public@example.com>', [['Joe Q. Public', 'john.q.public', 'example.com']]],
    ['Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example', [['Mary Smith', 'mary', 'example.net'], [null, 'jdoe', 'test.example']]],
    ['<@a.test,@b.test:u@c.test>', [[null, 'u', 'c.test']]],
    ['John Doe <jdoe@machine(comment).  example>', [['John Doe', 'jdoe', 'machine.example']]],
    ['Mary Smith\r\n    \r\n\t<mary@example.net>', [['Mary Smith', 'mary', 'example.net']]],
    // Comments as names
    ['user@host (Name)', [['Name', 'user', 'host']]],
    ['user@host ( Na (m) \\(e ), b@c', [['Na (m) (e', 'user', 'host'], [null, 'b', 'c']]],
    ['<user@host> (Name)', [['Name', 'user', 'host']]],
    ['(Name) user@host', [[null, 'user', 'host']]],
    ['Real <user@host> (Name)', [['Real', 'user', 'host']]],
    // Quoted strings and literals
    ['"a b"@c', [[null, 'a b', 'c']]],
    ['"a@b"@c', [[null, 'a@b', 'c']]],
    ['""@c', [[null, '', 'c']]],
    ['"" <a@b>', [[null, 'a', 'b']]],
    ['"a,b" <a@b>', [['a,b', 'a', 'b']]],
    ['"fold\r\n ed" <a@b>', [['fold ed', 'a', 'b']]],
    ['a@[192.0.2.1], b@[IPv6:::1]', [[null, 'a', '[192.0.2.1]'], [null, 'b', '[IPv6:::1]']]],
    ['[list] <a@b>', [['[list]', 'a', 'b']]],
    // Encoded words and raw UTF-8
    ['=?utf-8?Q?a,_b?= <a@b>', [['=?utf-8?Q?a,_b?=', 'a', 'b']]],
    ['=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= <a@b>', [['=?utf-8?Q?a?= =?utf-8?Q?b?=', 'a', 'b']]],
    ['José <josé@exämple.org>', [['José', 'josé', 'exämple.org']]],
    // Broken
    ['', []],
    [' , ,; ', []],
    ['<>', [[null, '', '']]],
    ['MAILER-DAEMON <>', [['MAILER-DAEMON', '', '']]],
    ['root', [[null, 'root', '']]],
    ['John Doe', [[null, 'John Doe', '']]],
    ['@host', [[null, '', 'host']]],
    ['user@', [[null, 'user', '']]],
    ['a@b@c', [[null, 'a@b', 'c']]],
    ['a@b c@d e@f', [[null, 'a', 'b'], [null, 'c', 'd'], [null, 'e', 'f']]],
    ['a@b; c@d', [[null, 'a', 'b'], [null, 'c', 'd']]],
    ['John user@host', [['John', 'user', 'host']]],
    ['user@host John', [['John', 'user', 'host']]],
    ['<a@b> John', [['John', 'a', 'b']]],
    ['<a@b> c@d', [[null, 'a', 'b'], [null, 'c', 'd']]],
    ['<a@b> <c@d>', [[null, 'a', 'b'], [null, 'c', 'd']]],
    ['<a@b <c@d>', [[null, 'a', 'b'], [null, 'c', 'd']]],
    ['<a@b, c@d', [[null, 'a', 'b'], [null, 'c', 'd']]],
    ['<<a@b>>', [[null, 'a', 'b']]],
    ['"unclosed <a@b>, c@d', [['"unclosed', 'a', 'b'], [null, 'c', 'd']]],
    ['unclosed ( <a@b>, c@d', [['unclosed (', 'a', 'b'], [null, 'c', 'd']]],
    ['a@[unclosed, c@d', [[null, 'a', '[unclosed'], [null, 'c', 'd']]],
    ['a@b <c@d>', [['a@b', 'c', 'd']]],
    ['<mailto:a@b>', [[null, 'mailto:a', 'b']]],
    ['A: a@b', [['A'], [null, 'a', 'b'], []]],
    ['A: B: c@d;', [['A'], [], ['B'], [null, 'c', 'd'], []]],
    ['a\u0000@b\u0000', [[null, 'a', 'b']]],
  ])('%j', (value, rows) => {
    expect(parseAddressList(octetsOf(value)).map(rowOf)).toEqual(rows)
  })

  it('stops at the limit and closes the group', () => {
    const value = octetsOf(`A: ${'a@b,'.repeat(5000)};`)
    const entries = parseAddressList(value)
    expect(entries).toHaveLength(1001)
    expect(entries.at(-1)).toEqual({ kind: 'group-end' })
    expect(parseAddressList(value, { maxEntries: 1 }).map((entry) => entry.kind)).toEqual(['group-start', 'group-end'])
    expect(parseAddressList(value, { maxEntries: 0 })).toEqual([])
    expect(parseAddressList(octetsOf('a@b c@d e@f'), { maxEntries: 2 })).toHaveLength(2)
  })

  it('gives copies', () => {
    const value = octetsOf('Name <user@host>')
    const [entry] = parseAddressList(value)
    value.fill(0)
    expect(rowOf(entry as AddressEntry)).toEqual(['Name', 'user', 'host'])
  })

  it('never throws, balances groups, and gives no CR, LF or NUL', () => {
    const piece = fc.constantFrom('a', '"', '\\', '(', ')', '<', '>', '@', ',', ':', ';', '.', '[', ']', '=?x?q?', '?=', ' ', '\r\n', '\u0000', 'é')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        let depth = 0
        for (const entry of parseAddressList(octetsOf(pieces.join('')))) {
          if (entry.kind === 'group-start') depth += 1
          if (entry.kind === 'group-end') depth -= 1
          expect(depth === 0 || depth === 1).toBe(true)
          const texts = entry.kind === 'mailbox' ? [entry.name ?? octetsOf('x'), entry.localpart, entry.domain] : []
          for (const text of texts) for (const octet of [0, 10, 13]) expect(text.includes(octet)).toBe(false)
          if (entry.kind === 'mailbox') expect(entry.name?.length).not.toBe(0)
        }
        expect(depth).toBe(0)
      }),
      { numRuns: 3000 },
    )
  })

  it('hides no address that is written between commas', () => {
    const atom = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const mailbox = fc.tuple(fc.option(fc.string({ maxLength: 10 })), atom, atom)
    fc.assert(
      fc.property(fc.array(mailbox, { maxLength: 8 }), (mailboxes) => {
        const written = mailboxes.map(([name, local, domain]) =>
          name === null ? `${local}@${domain}` : `"${name.replaceAll(/["\\]/g, String.raw`\$&`)}" <${local}@${domain}>`,
        )
        const read = parseAddressList(octetsOf(written.join(', '))).map(rowOf)
        expect(read.map((row) => `${row[1]}@${row[2]}`)).toEqual(mailboxes.map(([, local, domain]) => `${local}@${domain}`))
      }),
    )
  })

  test.each([
    ['addresses', 'User <u@host.example>, '],
    ['addresses without commas', 'a@b '],
    ['words', 'word '],
    ['at signs', '@'],
    ['open comments', '('],
    ['nested comments that end', '()'],
    ['quotes', '"\\'],
    ['quoted pairs', '\\"'],
    ['open angles', '<'],
    ['angles', '<a>'],
    ['routes', '<@a,'],
    ['groups', 'a:'],
    ['empty groups', ':;'],
    ['literals', 'a@[ '],
    ['encoded words', '=?a?q?b'],
    ['folding', '\r\n '],
    ['dots', '. '],
  ])('work grows with the input: %s', (_, piece) => {
    const ratio = growth(piece, (value, work) => parseAddressList(value, { maxEntries: 10_000_000, work }))
    expect(ratio).toBeLessThan(20)
  })

  it('takes a comment as deep as the field is long', () => {
    const depth = 500_000
    const value = octetsOf(`a@b ${'('.repeat(depth)}x${')'.repeat(depth)}, c@d`)
    expect(parseAddressList(value)).toHaveLength(2)
  })
})

describe('the field table of mail-parser', () => {
  const file = corpusFile('mime-mail-parser/address.json')
  if (file === undefined) {
    it.skip('the corpus mime-mail-parser is not here', () => {})
    return
  }
  const rows = JSON.parse(readFileSync(file, 'utf8')) as { header: string; expected: Lists }[]
  /** There comments are put together with the display name, or stand for a name before the address; we take only one after it. */
  const comments = new Set([8, 9, 10, 11, 14, 22, 40, 45, 56])
  /** There routes and white space around dots stay in the address; RFC 5322 §4.4 drops both. */
  const obsolete = new Set([13])
  test.each(rows.map((row, index) => ({ index, ...row })))('$index: $header', ({ index, header, expected }) => {
    const read = listsOf(fieldValue(header))
    if (comments.has(index) || obsolete.has(index)) expect(read).not.toEqual(withoutGroups(expected))
    else expect(read).toEqual(withoutGroups(expected))
  })
})

function rowOf(entry: AddressEntry): Row {
  switch (entry.kind) {
    case 'mailbox':
      return [entry.name === undefined ? null : textOf(entry.name), textOf(entry.localpart), textOf(entry.domain)]
    case 'group-start':
      return [textOf(entry.name)]
    case 'group-end':
      return []
  }
}

function textOf(octets: Uint8Array): string {
  return new TextDecoder().decode(octets)
}

type Lists = { List: Person[] } | { Group: { name: string | null; addresses: Person[] }[] }

interface Person {
  readonly name: string | null
  readonly address: string | null
}

/** Groups as the corpus tells them: each with its name, null for what is in none. */
function withoutGroups(lists: Lists): { name: string | null; addresses: Person[] }[] {
  return 'List' in lists ? [{ name: null, addresses: lists.List }] : lists.Group
}

function listsOf(value: Uint8Array): { name: string | null; addresses: Person[] }[] {
  const groups: { name: string | null; addresses: Person[] }[] = []
  let isOpen = false
  for (const entry of decodeAddressList(value)) {
    if (entry.kind === 'mailbox') {
      if (!isOpen) groups.push({ name: null, addresses: [] })
      isOpen = true
      groups.at(-1)?.addresses.push({ name: entry.name ?? null, address: entry.address })
    } else {
      if (entry.kind === 'group-start') groups.push({ name: entry.name, addresses: [] })
      isOpen = entry.kind === 'group-start'
    }
  }
  return groups
}
