import { describe, expect, it } from 'vitest'
import { parseForwardPath } from '@postern/core/address'
import { createDirectory } from '@postern/core/directory'

const directory = createDirectory({
  domains: { 'example.org': {}, 'bücher.example': {} },
  accounts: {
    ada: { addresses: ['ada@example.org', 'Ada.L@example.org'] },
    bob: { addresses: ['@bücher.example', 'info@bücher.example'] },
  },
  postmaster: 'ada',
})
const openDirectory = createDirectory({ domains: { localhost: {} }, accounts: { all: { addresses: ['me@localhost', '*'] } } })

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
    ['<eve@example.org>', 'no-such-address'],
    ['<ada@example.com>', 'not-local'],
    ['<ada%example.com@example.org>', 'no-such-address'],
    ['<"ada@example.com"@example.org>', 'no-such-address'],
    ['<ada@sub.example.org>', 'not-local'],
    ['<ada@[127.0.0.1]>', 'not-local'],
  ])('%s is %s', (path, expected) => {
    const found = directory.findRecipient(parseForwardPath(path, { utf8: true }))
    expect(found.kind === 'account' ? found.account : found.kind).toBe(expected)
  })

  it.each(['<anyone@anywhere.example>', '<postmaster>', '<x@[10.0.0.1]>', '<me@localhost>'])('%s goes to the account that takes everything', (path) => {
    expect(openDirectory.findRecipient(parseForwardPath(path, { utf8: false }))).toEqual({ kind: 'account', account: 'all', mailbox: 'INBOX' })
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
