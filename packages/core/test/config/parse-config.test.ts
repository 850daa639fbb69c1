import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, formatConfigIssue, parseConfig } from '@postern/core/config'

const good = {
  hostname: 'mail.example.org',
  dataDir: '/var/lib/postern',
  listeners: { public: { addresses: ['0.0.0.0', '::'], smtp: { maxMessageSize: '25MiB' }, imap: { port: 1143 } } },
  domains: { 'example.org': {} },
  accounts: { ada: { addresses: ['ada@example.org', '@example.org'] } },
  postmaster: 'ada',
}

describe('parseConfig', () => {
  it('fills in defaults and reads quantities', () => {
    const { config, issues } = parseConfig(good)
    expect(issues).toEqual([])
    expect(config?.listeners['public']?.smtp).toEqual({ port: 25, requireTls: false, maxMessageSize: 26_214_400, blockLists: [], firstTimeSenderDelay: 15_000 })
    expect(config?.listeners['public']?.imap).toEqual({ port: 1143, allowPlainLogin: false })
    expect(config?.diskReserve).toBe(268_435_456)
  })

  it.each([
    ['an unknown key', { ...good, hostnam: 'x' }, 'hostnam: Unknown key; did you mean hostname'],
    ['an unknown key deep down', { ...good, listeners: { a: { addresses: ['::1'], smtp: { prot: 25 } } } }, 'listeners.a.smtp.prot: Unknown key; did you mean port'],
    ['an unknown key like nothing', { ...good, domains: { 'example.org': { zzzzzz: 1 } } }, 'domains.example.org.zzzzzz: Unknown key; known here: '],
    ['a missing key', { ...good, hostname: undefined }, 'hostname: Is missing (string)'],
    ['a wrong type', { ...good, hostname: 5 }, 'hostname: Expected string, received number'],
    ['a bad size', { ...good, diskReserve: '1 gig' }, 'diskReserve: Expected a size such as "25MiB"'],
    ['a size out of range', { ...good, listeners: { a: { addresses: ['::1'], smtp: { maxMessageSize: '1KiB' } } } }, 'listeners.a.smtp.maxMessageSize: Must be at least 64KiB'],
    ['an address that is none', { ...good, listeners: { a: { addresses: ['localhost'] } } }, 'listeners.a.addresses[0]: Expected an IP address such as "127.0.0.1" or "::"'],
    ['imaps without a certificate', { ...good, listeners: { a: { addresses: ['::1'], imaps: {} } } }, 'listeners.a.imaps: Needs a certificate under tls'],
    ['a malformed mail address', { ...good, accounts: { ada: { addresses: ['ada@@example.org'] } } }, 'accounts.ada.addresses[0]: "ada@@example.org" is not an address'],
    ['a domain nobody declared', { ...good, accounts: { ada: { addresses: ['ada@example.com'] } } }, 'accounts.ada.addresses[0]: Domain example.com is not among the domains'],
    ['an address listed twice', { ...good, accounts: { ada: { addresses: ['a@example.org'] }, bob: { addresses: ['A@EXAMPLE.org'] } } }, 'accounts.bob.addresses[0]: Is already an address of account ada'],
    ['a postmaster nobody is', { ...good, postmaster: 'eve' }, 'postmaster: There is no account eve'],
    ['a name that reaches the prototype', JSON.parse('{"hostname":"h","domains":{"__proto__":{}}}'), 'domains.__proto__: This name is not allowed'],
  ])('tells of %s', (_, input, text) => {
    const { config, issues } = parseConfig(input)
    expect(config).toBeUndefined()
    expect(issues.map(formatConfigIssue).join('\n')).toContain(text)
  })

  it('tells of all problems at once, each with its path', () => {
    const { issues } = parseConfig({ hostnam: 'x', diskReserve: [], listeners: { a: { addresses: [], smtp: { port: 70_000 } } } })
    expect(issues.map((issue) => issue.path.join('.')).sort()).toEqual(['diskReserve', 'hostnam', 'hostname', 'listeners.a.addresses', 'listeners.a.smtp.port'])
    const error = new ConfigError(issues)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message.split('\n')).toHaveLength(5)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        expect(Array.isArray(parseConfig(input).issues)).toBe(true)
      }),
    )
  })
})
