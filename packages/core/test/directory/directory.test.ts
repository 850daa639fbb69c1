import { describe, expect, it } from 'vitest'
import { Flag } from '@postern/core/store'
import { parseForwardPath } from '@postern/core/address'
import { checkDirectory, createDirectory, parseDirectoryConfig } from '@postern/core/directory'

const directory = createDirectory(
  parseDirectoryConfig({
  domains: { 'example.org': {}, 'bücher.example': {} },
  accounts: {
    ada: { addresses: ['ada@example.org', 'Ada.L@example.org'] },
    bob: { addresses: ['@bücher.example', 'info@bücher.example'] },
  },
  postmaster: 'ada',
}),
  { hostnames: ['mail.example.net'] },
)
const openDirectory = createDirectory(parseDirectoryConfig({ domains: { localhost: {} }, accounts: { all: { addresses: ['me@localhost', '*'] } } }))

describe('findRecipient', () => {
  it.each([
    ['<ada@example.org>', 'ada'],
    ['<ADA@Example.ORG>', 'ada'],
    ['<ada.l@example.org>', 'ada'],
    ['<"ada"@example.org>', 'ada'],
    ['<@relay.example:ada@example.org>', 'ada'],
    ['<anybody@xn--bcher-kva.example>', 'bob'],
    ['<info@BÜCHER.example>', 'bob'],
    ['<postmaster>', 'ada'],
    ['<Postmaster@example.org>', 'ada'],
    ['<POSTMASTER@mail.example.net>', 'ada'],
    ['<ada@mail.example.net>', 'not-local'],
    ['<eve@example.org>', 'no-such-address'],
    ['<ada@example.com>', 'not-local'],
    ['<ada%example.com@example.org>', 'no-such-address'],
    ['<"ada@example.com"@example.org>', 'no-such-address'],
    ['<ada@sub.example.org>', 'not-local'],
    ['<ada@[127.0.0.1]>', 'not-local'],
  ])('%s is %s', (path, expected) => {
    const found = directory.findRecipient(parseForwardPath(path, { utf8: true }))
    expect(found.kind === 'account' ? found.destination.account : found.kind).toBe(expected)
  })

  it.each(['<anyone@anywhere.example>', '<postmaster>', '<x@[10.0.0.1]>', '<me@localhost>'])('%s goes to the account that takes everything', (path) => {
    expect(openDirectory.findRecipient(parseForwardPath(path, { utf8: false }))).toMatchObject({ kind: 'account', destination: { account: 'all', mailbox: 'INBOX' } })
  })
})

describe('findLogin', () => {
  it.each([
    ['ada', 'ada'],
    ['ada@example.org', 'ada'],
    ['ADA@example.org', 'ada'],
    ['nobody@bücher.example', undefined],
    ['ada@example.com', undefined],
    ['', undefined],
    ['__proto__', undefined],
    ['\0', undefined],
  ])('%j is %j', (login, account) => {
    expect(directory.findLogin(login)).toBe(account)
  })
})

const separated = createDirectory(
  parseDirectoryConfig({
    domains: {
      'example.org': { catchallSeparator: '+', dmarcReports: { localpart: 'dmarc', account: 'bob', mailbox: 'DMARC' } },
      'case.example': { caseSensitive: true },
      'plain.example': {},
    },
    accounts: {
      ada: { addresses: ['ada@example.org', 'Ada@case.example', '""@plain.example', { address: 'lists@example.org', mailbox: 'Lists' }] },
      bob: { addresses: ['@example.org', 'ada@case.example'] },
    },
    postmaster: { account: 'bob', mailbox: 'Postmaster' },
  }),
)

describe('canonical localparts', () => {
  it.each([
    ['<ada+shop@example.org>', 'ada INBOX ada@example.org'],
    ['<Ada+x+y@example.org>', 'ada INBOX ada@example.org'],
    ['<lists+any@example.org>', 'ada Lists lists@example.org'],
    ['<anybody+x@example.org>', 'bob INBOX @example.org'],
    ['<+x@example.org>', 'no-such-address'],
    ['<""@plain.example>', 'ada INBOX ""@plain.example'],
    ['<Ada@case.example>', 'ada INBOX Ada@case.example'],
    ['<ada@case.example>', 'bob INBOX ada@case.example'],
    ['<ADA@case.example>', 'no-such-address'],
    ['<dmarc@example.org>', 'bob DMARC dmarc@example.org dmarc'],
    ['<postMaster@case.example>', 'bob Postmaster postmaster'],
    ['<postmaster+x@plain.example>', 'no-such-address'],
  ])('%s is %s', (path, expected) => {
    const found = separated.findRecipient(parseForwardPath(path, { utf8: true }))
    if (found.kind !== 'account') return expect(found.kind).toBe(expected)
    const { account, mailbox, key, reports } = found.destination
    expect([account, mailbox, key, ...(reports === undefined ? [] : [reports])].join(' ')).toBe(expected)
  })
})

describe('checkDirectory', () => {
  it.each([
    ['an address with the separator', { domains: { 'a.example': { catchallSeparator: '+' } }, accounts: { ada: { addresses: ['x+y@a.example'] } } }, 'accounts.ada.addresses.0'],
    ['two addresses that differ by case', { domains: { 'a.example': {} }, accounts: { ada: { addresses: ['x@a.example', 'X@a.example'] } } }, 'accounts.ada.addresses.1'],
    ['the same catch-all', { domains: { 'a.example': {} }, accounts: { ada: { addresses: ['@a.example'] }, bob: { addresses: ['@A.example'] } } }, 'accounts.bob.addresses.0'],
    ['an unknown domain', { domains: {}, accounts: { ada: { addresses: ['x@a.example'] } } }, 'accounts.ada.addresses.0'],
    ['a domain under two spellings', { domains: { 'a.example': {}, 'A.example': {} } }, 'domains.A.example'],
    ['reports for nobody', { domains: { 'a.example': { tlsReports: { localpart: 'tls', account: 'eve', mailbox: 'TLS' } } } }, 'domains.a.example.tlsReports.account'],
    [
      'reports to an address somebody has',
      { domains: { 'a.example': { tlsReports: { localpart: 'tls', account: 'ada', mailbox: 'TLS' } } }, accounts: { ada: { addresses: ['tls@a.example'] } } },
      'domains.a.example.tlsReports.localpart',
    ],
    ['postmaster of nobody', { postmaster: 'eve' }, 'postmaster'],
  ])('%s is an issue', (_, config, path) => {
    expect(checkDirectory(parseDirectoryConfig(config)).map((issue) => issue.path.join('.'))).toEqual([path])
  })

  it('case makes two addresses where the domain says so', () => {
    expect(checkDirectory(parseDirectoryConfig({ domains: { 'a.example': { caseSensitive: true } }, accounts: { ada: { addresses: ['x@a.example', 'X@a.example'] } } }))).toEqual([])
  })
})

describe('settings', () => {
  const settings = (junkFlags?: object) => createDirectory(parseDirectoryConfig({ accounts: { ada: { addresses: ['*'], ...(junkFlags === undefined ? {} : { junkFlags }) } } })).settingsOf('ada')
  const word = (flags: { set: number; clear: number } | undefined): string => (flags === undefined ? 'as it is' : flags.set === Flag.junk ? 'junk' : flags.set === Flag.notJunk ? 'not junk' : 'neutral')
  it.each([
    ['Junk', undefined, 'junk'],
    ['SPAM/old', undefined, 'junk'],
    ['INBOX', undefined, 'neutral'],
    ['Rejects', undefined, 'neutral'],
    ['Archive/2026', undefined, 'not junk'],
    ['Archive', { enabled: false }, 'as it is'],
    ['Archive', { junkMailboxes: '^junk' }, 'as it is'],
    ['Junk', { junkMailboxes: '^junk' }, 'junk'],
    ['Other', { junkMailboxes: '^junk', notJunkMailboxes: '^archive' }, 'neutral'],
    ['Other', { neutralMailboxes: '^inbox', notJunkMailboxes: '^archive' }, 'junk'],
    ['Other', { junkMailboxes: '^junk', neutralMailboxes: '^inbox', notJunkMailboxes: '^archive' }, 'as it is'],
  ])('mailbox %s by %j is %s', (name, junkFlags, expected) => {
    expect(word(settings(junkFlags)?.junkFlagsOf({ name, specialUse: [] }))).toBe(expected)
  })

  it('the mailbox of special use \\Junk means junk whatever its name', () => {
    expect(word(settings()?.junkFlagsOf({ name: 'Unerwünscht', specialUse: ['\\Junk'] }))).toBe('junk')
  })

  it('of nobody are none', () => {
    expect(separated.settingsOf('eve')).toBeUndefined()
  })
})
