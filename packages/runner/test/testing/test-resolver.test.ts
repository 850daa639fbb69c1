import { describe, expect, it } from 'vitest'
import { createTestResolver } from '../../src/testing/test-resolver.ts'

describe('createTestResolver', () => {
  it('answers from the records it was given, and tells what it was asked', async () => {
    const resolver = createTestResolver({ 'example.org': ['MX 10 mail.example.org'] }, { authentic: ['example.org'] })
    resolver.zone({ 'mail.example.org': ['A 192.0.2.1'] })
    expect(await resolver.query('example.org', 'MX')).toMatchObject({ records: [{ preference: 10, exchange: 'mail.example.org' }], authentic: true })
    expect((await resolver.query('mail.example.org', 'A')).records).toEqual(['192.0.2.1'])
    expect(await resolver.query('other.org', 'TXT')).toMatchObject({ records: [], nameExists: false, authentic: false })
    expect(resolver.asked).toEqual(['MX example.org', 'A mail.example.org', 'TXT other.org'])
  })

  it.each(['SERVFAIL', 'TIMEOUT'] as const)('rejects the next question for a name with %s, and answers the one after it', async (code) => {
    const resolver = createTestResolver({ 'example.org': ['A 192.0.2.1'] })
    resolver.failNext('example.org', code)
    await expect(resolver.query('example.org', 'A')).rejects.toMatchObject({ name: 'DnsError', code })
    expect((await resolver.query('example.org', 'A')).records).toEqual(['192.0.2.1'])
  })

  it('answers the next question for a name with NXDOMAIN, and the one after it with its records', async () => {
    const resolver = createTestResolver({ 'example.org': ['A 192.0.2.1'] })
    resolver.failNext('example.org', 'NXDOMAIN')
    expect(await resolver.query('example.org', 'A')).toMatchObject({ records: [], nameExists: false })
    expect(await resolver.query('example.org', 'A')).toMatchObject({ records: ['192.0.2.1'], nameExists: true })
  })

  it('refuses a record that can not be read', () => {
    expect(() => createTestResolver({ 'example.org': ['A mail.example.org'] })).toThrow(TypeError)
  })
})
