/** What the resolver keeps, shares and bounds, counted at the server, on a clock that stands still. */
import { execFile } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { DnsAnswer } from '@postern/core/host'
import { type Answer, TRUNCATED_RESPONSE } from 'dns-packet'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createResolver, type NetworkResolver, type ResolverEvent, type ResolverOptions } from '../../src/host/resolver.ts'
import { createTestClock, type TestClock } from '../../src/testing/test-clock.ts'
import { type Asked, carried, type DnsTestServer, framed, type Handler, replyTo, soa, startDnsServer } from './dns-server.ts'

const IPV6_HOSTS = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
  addresses.flatMap((one) => (one.address === '::1' ? ['::1'] : one.family === 'IPv6' && one.scopeid > 0 ? [`${one.address}%${name}`] : [])),
)

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

interface Under {
  readonly server: DnsTestServer
  readonly resolver: NetworkResolver
  readonly clock: TestClock
  readonly events: ResolverEvent[]
}

async function start(handler: Handler, options: ResolverOptions = {}): Promise<Under> {
  const server = await startDnsServer(handler)
  const clock = createTestClock({ frozen: true })
  const events: ResolverEvent[] = []
  const resolver = createResolver({ servers: [server.address], clock, onEvent: (event) => events.push(event), ...options })
  open.push(resolver, server)
  return { server, resolver, clock, events }
}

const address = (name: string, ttl: number): Answer => ({ type: 'A', name, ttl, data: '192.0.2.1' })
const addressFor = (ttl: number): Handler => (asked) => replyTo(asked, { answers: [address(asked.name, ttl)] })

/** A server that answers when it is told to. */
function holding(): { readonly handler: Handler; readonly held: Asked[]; release(): void } {
  const held: Asked[] = []
  let waiting: (() => void)[] = []
  return {
    held,
    handler: (asked) => {
      held.push(asked)
      return new Promise((resolve) => waiting.push(() => resolve(replyTo(asked, { answers: [address(asked.name, 60)] }))))
    },
    release() {
      for (const answer of waiting) answer()
      waiting = []
    },
  }
}

describe('an answer is kept', () => {
  it('for its TTL and no longer, and says how much of it is left', async () => {
    const { server, resolver, clock, events } = await start(addressFor(60))
    const ask = async (): Promise<number> => (await resolver.query('host.test', 'A')).ttl
    expect(await ask()).toBe(60)
    await clock.advance(20_500)
    expect(await ask()).toBe(39)
    await clock.advance(39_499)
    expect(await ask()).toBe(0)
    expect(server.asked).toHaveLength(1)
    await clock.advance(1)
    expect(await ask()).toBe(60)
    expect(server.asked).toHaveLength(2)
    expect(events).toEqual(['query', 'cache-hit', 'cache-hit', 'query'])
  })

  it('under its name in any case, and its kind', async () => {
    const { server, resolver } = await start((asked) => replyTo(asked, { answers: [address(asked.name, 60)], authorities: [soa('test')] }))
    await resolver.query('host.test', 'A')
    await resolver.query('HOST.test', 'A')
    await resolver.query('host.test', 'AAAA')
    expect(server.asked.map(({ kind }) => kind)).toEqual(['A', 'AAAA'])
  })

  it('not when its TTL is 0, or has the highest bit set', async () => {
    for (const ttl of [0, 0x8000_0000]) {
      const { server, resolver } = await start(addressFor(ttl))
      expect((await resolver.query('host.test', 'A')).ttl).toBe(0)
      await resolver.query('host.test', 'A')
      expect(server.asked).toHaveLength(2)
    }
  })

  it('for a day at most', async () => {
    const { resolver } = await start(addressFor(0x7fff_ffff))
    expect((await resolver.query('host.test', 'A')).ttl).toBe(86_400)
  })

  it('for the least TTL of its records', async () => {
    const { resolver } = await start((asked) => replyTo(asked, { answers: [address(asked.name, 60), address(asked.name, 7)] }))
    expect((await resolver.query('host.test', 'A')).ttl).toBe(7)
  })

  const negative: readonly (readonly [what: string, soa: Answer | undefined, ttl: number])[] = [
    ['the MINIMUM of the SOA record', soa('test', { ttl: 600, minimum: 300 }), 300],
    ['the TTL of the SOA record when that is less', soa('test', { ttl: 100, minimum: 300 }), 100],
    ['three hours at most', soa('test', { ttl: 90_000, minimum: 90_000 }), 10_800],
    ['no time without a SOA record', undefined, 0],
    ['no time with the SOA record of another zone', soa('other', { ttl: 600 }), 0],
  ]
  for (const rcode of [0, 3]) {
    for (const [what, record, ttl] of negative) {
      it(`that there is nothing (code ${rcode}) for ${what}`, async () => {
        const { server, resolver, clock } = await start((asked) => replyTo(asked, { rcode, authorities: record === undefined ? [] : [record] }))
        const ask = async (): Promise<unknown> => resolver.query('host.test', 'A')
        expect(await ask()).toEqual({ records: [], nameExists: rcode === 0, ttl, authentic: false })
        await clock.advance(Math.max(0, ttl * 1_000 - 1))
        await ask()
        expect(server.asked).toHaveLength(ttl === 0 ? 2 : 1)
        await clock.advance(1)
        await ask()
        expect(server.asked).toHaveLength(ttl === 0 ? 3 : 2)
      })
    }
  }

  it('but failures are not', async () => {
    const { server, resolver } = await start((asked) => (server.asked.length === 1 ? replyTo(asked, { rcode: 2 }) : replyTo(asked, { answers: [address(asked.name, 60)] })))
    await expect(resolver.query('host.test', 'A')).rejects.toMatchObject({ code: 'SERVFAIL' })
    expect((await resolver.query('host.test', 'A')).records).toEqual(['192.0.2.1'])
  })

  it('until too many others are', async () => {
    const { server, resolver } = await start(addressFor(60), { limits: { cacheEntries: 3 } })
    for (const name of ['a.test', 'b.test', 'c.test', 'a.test', 'd.test', 'a.test', 'b.test']) await resolver.query(name, 'A')
    expect(server.asked.map(({ name }) => name)).toEqual(['a.test', 'b.test', 'c.test', 'd.test', 'b.test'])
  })
})

describe('a question under way', () => {
  it('is asked once for all who ask it', async () => {
    const { handler, held, release } = holding()
    const { server, resolver, events } = await start(handler)
    const answers = Array.from({ length: 20 }, (_, i) => resolver.query(i % 2 === 0 ? 'host.test' : 'Host.Test', 'A'))
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    release()
    for (const answer of await Promise.all(answers)) expect(answer.records).toEqual(['192.0.2.1'])
    expect(server.asked).toHaveLength(1)
    expect(events.filter((event) => event === 'shared')).toHaveLength(19)
  })

  it('may be one of many that hang on one signal, without a warning', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    const { resolver } = await start(addressFor(60))
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 30 }, (_, i) => resolver.query(`host-${i}.test`, 'A', { signal })))
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('goes on when some who asked it leave', async () => {
    const { handler, held, release } = holding()
    const { server, resolver } = await start(handler)
    const controller = new AbortController()
    const reason = new Error('No longer wanted')
    const first = resolver.query('host.test', 'A', { signal: controller.signal })
    const second = resolver.query('host.test', 'A')
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    controller.abort(reason)
    await expect(first).rejects.toBe(reason)
    release()
    expect((await second).records).toEqual(['192.0.2.1'])
    expect(server.asked).toHaveLength(1)
  })

  it('ends when all have left, and is asked anew by who comes then', async () => {
    const { handler, held, release } = holding()
    const { resolver, clock, events } = await start(handler, { timeoutMs: 1_000, attempts: 1 })
    const controllers = [new AbortController(), new AbortController()]
    const left = controllers.map(({ signal }) => resolver.query('host.test', 'A', { signal }))
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    for (const controller of controllers) controller.abort()
    for (const result of await Promise.allSettled(left)) expect(result).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } })
    const next = resolver.query('host.test', 'A')
    await vi.waitFor(() => expect(held).toHaveLength(2), { interval: 1 })
    // What was left behind has ended by now; it must not take the new question with it.
    const shared = resolver.query('host.test', 'A')
    await new Promise((resolve) => setImmediate(resolve))
    release()
    expect((await next).records).toEqual(['192.0.2.1'])
    expect((await shared).records).toEqual(['192.0.2.1'])
    await clock.advance(5_000)
    expect([...events].sort()).toEqual(['query', 'query', 'shared', 'shared'])
  })

  it('may be left at any moment', async () => {
    const { resolver } = await start((asked) => (asked.transport === 'udp' ? replyTo(asked, { flags: TRUNCATED_RESPONSE }) : framed(replyTo(asked, { authorities: [soa('test')] }))))
    const turns = { microtask: () => Promise.resolve(), tick: () => new Promise<void>((resolve) => process.nextTick(resolve)), immediate: () => new Promise<void>((resolve) => setImmediate(resolve)) }
    for (const turn of Object.values(turns)) {
      for (let wait = 0; wait < 40; wait += 1) {
        const controller = new AbortController()
        const left = resolver.query(`host-${wait}.test`, 'A', { signal: controller.signal }).catch((error: unknown) => error)
        for (let i = 0; i < wait; i += 1) await turn()
        controller.abort('left')
        expect([{ records: [] }, 'left']).toContainEqual(await left.then((end) => (typeof end === 'string' ? end : { records: (end as DnsAnswer<'A'>).records })))
      }
    }
    expect((await resolver.query('other.test', 'A')).records).toEqual([])
  })

  it('is ended by close, as those that wait for it are, and none can be asked after it', async () => {
    const { handler, held } = holding()
    const { resolver } = await start(handler, { limits: { inFlight: 1 } })
    const answers = ['a.test', 'b.test'].map((name) => resolver.query(name, 'A'))
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    await Promise.all([resolver.close(), ...answers.map((answer) => expect(answer).rejects.toMatchObject({ name: 'DnsError', code: 'SERVFAIL' }))])
    await expect(resolver.query('c.test', 'A')).rejects.toMatchObject({ code: 'SERVFAIL' })
    expect(held).toHaveLength(1)
  })
})

describe('many questions', () => {
  it('are under way up to a limit, wait in order up to another, and are SERVFAIL above that', async () => {
    const { handler, held, release } = holding()
    const { resolver, events } = await start(handler, { limits: { inFlight: 2, waiting: 3 } })
    const results = Array.from({ length: 8 }, (_, i) => resolver.query(`host-${i}.test`, 'A').then(({ records }) => records.length, (error: { code: string }) => error.code))
    const names = (): string[] => held.map(({ name }) => name).sort()
    await vi.waitFor(() => expect(names()).toEqual(['host-0.test', 'host-1.test']), { interval: 1 })
    expect(events.filter((event) => event === 'overload')).toHaveLength(3)
    release()
    await vi.waitFor(() => expect(names()).toEqual(['host-0.test', 'host-1.test', 'host-2.test', 'host-3.test']), { interval: 1 })
    release()
    await vi.waitFor(() => expect(held).toHaveLength(5), { interval: 1 })
    release()
    expect(await Promise.all(results)).toEqual([1, 1, 1, 1, 1, 'SERVFAIL', 'SERVFAIL', 'SERVFAIL'])
  })

  it('leave the queue when nobody waits for them, and make room', async () => {
    const { handler, held, release } = holding()
    const { resolver } = await start(handler, { limits: { inFlight: 1, waiting: 1 } })
    const first = resolver.query('a.test', 'A')
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    const controller = new AbortController()
    const second = resolver.query('b.test', 'A', { signal: controller.signal })
    await expect(resolver.query('c.test', 'A')).rejects.toMatchObject({ code: 'SERVFAIL' })
    controller.abort(new Error('left'))
    await expect(second).rejects.toThrow('left')
    const third = resolver.query('c.test', 'A')
    // Two turns, since it is queued only after the servers are known.
    await new Promise((resolve) => setImmediate(resolve))
    release()
    await first
    await vi.waitFor(() => expect(held).toHaveLength(2), { interval: 1 })
    release()
    await third
    expect(held.map(({ name }) => name)).toEqual(['a.test', 'c.test'])
  })
})

describe('the servers', () => {
  it('are asked in turn with rotate, and the first alone without', async () => {
    for (const rotate of [false, true]) {
      const servers = [await startDnsServer(addressFor(0)), await startDnsServer(addressFor(0))]
      const resolver = createResolver({ servers: servers.map((server) => server.address), rotate })
      open.push(resolver, ...servers)
      for (let i = 0; i < 6; i += 1) await resolver.query('host.test', 'A')
      expect(servers.map(({ asked }) => asked.length)).toEqual(rotate ? [3, 3] : [6, 0])
    }
  })

  it.each(IPV6_HOSTS)('may have IPv6 addresses: %s (those of this machine)', async (host) => {
    const server = await startDnsServer((asked) => carried(asked, replyTo(asked, { answers: Array.from({ length: 100 }, () => address(asked.name, 60)) })), { host })
    const resolver = createResolver({ servers: [server.address] })
    open.push(resolver, server)
    expect((await resolver.query('host.test', 'A')).records).toHaveLength(100)
    expect(server.asked.map(({ transport }) => transport)).toEqual(['udp', 'tcp'])
  })

  it('are those of the file, and others when it changes, who are asked anew', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'postern-dns-'))
    const [first, second] = [await startDnsServer(addressFor(600)), await startDnsServer(addressFor(600))]
    const resolvConf = join(dir, 'resolv.conf')
    const clock = createTestClock({ frozen: true })
    const resolver = createResolver({ resolvConf, clock })
    open.push(resolver, first, second, { close: () => rm(dir, { recursive: true }) })
    const counts = async (): Promise<number[]> => {
      await resolver.query('host.test', 'A')
      return [first.asked.length, second.asked.length]
    }

    await writeFile(resolvConf, `# made by a test\nnameserver ${first.address}\n`)
    expect(await counts()).toEqual([1, 0])
    await writeFile(join(dir, 'new'), `nameserver ${second.address}\noptions timeout:2\n`)
    await rename(join(dir, 'new'), resolvConf)
    expect(await counts()).toEqual([1, 0])
    await clock.advance(5_000)
    expect(await counts()).toEqual([1, 1])
    await clock.advance(5_000)
    expect(await counts()).toEqual([1, 1])
    await rm(resolvConf)
    await clock.advance(5_000)
    expect(await counts()).toEqual([1, 1])
  })

  it('that were asked before the file changed leave nothing behind', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'postern-dns-'))
    const { handler, held, release } = holding()
    const [first, second] = [await startDnsServer(handler), await startDnsServer(addressFor(600))]
    const resolvConf = join(dir, 'resolv.conf')
    const clock = createTestClock({ frozen: true })
    const resolver = createResolver({ resolvConf, clock, timeoutMs: 60_000 })
    open.push(resolver, first, second, { close: () => rm(dir, { recursive: true }) })
    await writeFile(resolvConf, `nameserver ${first.address}\n`)
    const before = resolver.query('host.test', 'A')
    await vi.waitFor(() => expect(held).toHaveLength(1), { interval: 1 })
    await writeFile(resolvConf, `nameserver ${second.address} # another\n`)
    await clock.advance(5_000)
    await resolver.query('other.test', 'A')
    release()
    await before
    await resolver.query('host.test', 'A')
    expect(second.asked.map(({ name }) => name)).toEqual(['other.test', 'host.test'])
  })

  it.each([[[]], [['ns.example.org']], [['127.0.0.1:0']], [Array.from({ length: 17 }, () => '127.0.0.1')]])('given as %j are refused', (servers) => {
    expect(() => createResolver({ servers })).toThrow(TypeError)
  })
})

describe('the process', () => {
  it('ends by itself when a resolver was used and not closed', async () => {
    const { server } = await start(addressFor(60))
    const module = fileURLToPath(new URL('../../src/host/resolver.ts', import.meta.url))
    const script = `
      import { createResolver } from ${JSON.stringify(module)}
      const { records } = await createResolver({ servers: [${JSON.stringify(server.address)}] }).query('host.test', 'A')
      console.log(records.join())
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=postern-source', '--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
      timeout: 20_000,
    })
    expect(stdout).toBe('192.0.2.1\n')
  })
})
