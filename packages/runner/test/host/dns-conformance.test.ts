import { resolverCases, resolverZone } from '@postern/core/conformance'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createResolver } from '../../src/host/resolver.ts'
import { type DnsProgram, findProgram, type KnotServer, startDnsmasq, startKnot, startUnbound } from './dns-programs.ts'
import { startDnsServer, zoneHandler } from './dns-server.ts'

const ZONE = 'zone.test'

interface Target {
  readonly what: string
  /** Programs without which it can not run. */
  readonly needs: readonly string[]
  readonly hidesLoops?: boolean
  start(): Promise<Pick<DnsProgram, 'address' | 'close'>>
}

let knot: KnotServer | undefined
beforeAll(async () => {
  if (findProgram('knotd') !== undefined && findProgram('keymgr') !== undefined) knot = await startKnot(ZONE, resolverZone)
})
afterAll(() => knot?.close())

const targets: readonly Target[] = [
  { what: 'a server of the test', needs: [], start: () => startDnsServer(zoneHandler(ZONE, resolverZone)) },
  { what: 'Knot', needs: ['knotd', 'keymgr'], start: async () => ({ address: (knot as KnotServer).address, close: async () => undefined }) },
  { what: 'Unbound', needs: ['knotd', 'keymgr', 'unbound'], hidesLoops: true, start: () => startUnbound(ZONE, knot as KnotServer, (knot as KnotServer).trustAnchor) },
  { what: 'dnsmasq', needs: ['knotd', 'keymgr', 'dnsmasq'], start: () => startDnsmasq(knot as KnotServer) },
]

for (const { what, needs, start, hidesLoops = false } of targets) {
  const missing = needs.filter((name) => findProgram(name) === undefined)
  describe.skipIf(missing.length > 0)(`the resolver over the network, asking ${what}${missing.length > 0 ? ` (not installed: ${missing.join(', ')})` : ''}`, () => {
    let server: Pick<DnsProgram, 'address' | 'close'>
    beforeAll(async () => {
      server = await start()
    })
    afterAll(() => server.close())
    const cases = resolverCases(async () => {
      const resolver = createResolver({ servers: [server.address] })
      return { resolver, hidesLoops, close: () => resolver.close() }
    })
    for (const { name, run } of cases) it(name, run)
  })
}

const missing = ['knotd', 'keymgr', 'unbound'].filter((name) => findProgram(name) === undefined)
describe.skipIf(missing.length > 0)(`answers that Unbound validated${missing.length > 0 ? ` (not installed: ${missing.join(', ')})` : ''}`, () => {
  it('are authentic, those that there is nothing too', async () => {
    const { address, trustAnchor, port } = knot as KnotServer
    const unbound = await startUnbound(ZONE, { address, port, close: async () => undefined }, trustAnchor)
    const resolver = createResolver({ servers: [unbound.address] })
    for (const [name, kind] of [['_25._tcp.mx1.zone.test', 'TLSA'], ['alias.zone.test', 'A'], ['large.zone.test', 'TXT'], ['nowhere.zone.test', 'A'], ['mx1.zone.test', 'TXT']] as const) {
      expect([name, (await resolver.query(name, kind)).authentic]).toEqual([name, true])
    }
    await resolver.close()
    await unbound.close()
  })

  it('are none when the signatures are of another key: SERVFAIL', async () => {
    const { trustAnchor } = knot as KnotServer
    const other = trustAnchor.replace(/[0-9A-Fa-f]{8}\s*$/, (digits) => (digits.startsWith('0') ? '1' : '0') + digits.slice(1))
    const unbound = await startUnbound(ZONE, knot as KnotServer, other)
    const resolver = createResolver({ servers: [unbound.address] })
    await expect(resolver.query('mx1.zone.test', 'A')).rejects.toMatchObject({ code: 'SERVFAIL' })
    await resolver.close()
    await unbound.close()
  })

  it('are not authentic when the server that holds the zone gives them, which validates nothing', async () => {
    const resolver = createResolver({ servers: [(knot as KnotServer).address] })
    expect((await resolver.query('mx1.zone.test', 'A')).authentic).toBe(false)
    await resolver.close()
  })
})
