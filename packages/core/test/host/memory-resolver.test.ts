import { describe, expect, it } from 'vitest'
import { createMemoryResolver, resolverCases, resolverZone } from '../../conformance/index.ts'

describe('the resolver over records in memory', () => {
  for (const { name, run } of resolverCases(async () => ({ resolver: createMemoryResolver(resolverZone) }))) it(name, run)

  it('lets the next question for a name fail or find no name, and no other', async () => {
    const resolver = createMemoryResolver({ 'a.test': ['A 192.0.2.1'] })
    resolver.failNext('a.test', 'NXDOMAIN')
    resolver.failNext('A.test', 'TIMEOUT')
    expect(await resolver.query('a.test', 'A')).toMatchObject({ records: [], nameExists: false })
    await expect(resolver.query('a.test', 'A')).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(await resolver.query('a.test', 'A')).toMatchObject({ records: ['192.0.2.1'], nameExists: true })
  })
})
