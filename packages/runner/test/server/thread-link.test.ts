/** Two sides of a link on a real port: answers find their questions, and whatever fails, fails alone. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, expect, it } from 'vitest'
import { ThreadLink, type Handlers, type Packet } from '../../src/server/thread-link.ts'

type Sums = {
  readonly add: { readonly asked: readonly number[]; readonly answer: number }
  readonly later: { readonly asked: number; readonly answer: string }
  readonly fail: { readonly asked: string; readonly answer: never }
  readonly octets: { readonly asked: Uint8Array; readonly answer: number }
  readonly strange: { readonly asked: null; readonly answer: () => void }
  readonly missing: { readonly asked: null; readonly answer: null }
}

const ports: MessagePort[] = []
afterEach(() => {
  for (const port of ports.splice(0)) port.close()
})

const answers: Partial<Handlers<Sums>> = {
  add: (numbers) => numbers.reduce((sum, each) => sum + each, 0),
  later: (ms) => new Promise((resolve) => setTimeout(() => resolve(`after ${ms}`), ms)),
  fail: (text) => {
    throw new TypeError(text)
  },
  strange: () => () => {},
  octets: ({ length }) => length,
}

function linked(): { readonly link: ThreadLink<Sums, Record<never, never>>; readonly packets: Packet[] } {
  const { port1, port2 } = new MessageChannel()
  ports.push(port1, port2)
  const packets: Packet[] = []
  const link = new ThreadLink<Sums, Record<never, never>>((packet, transfer) => {
    packets.push(packet)
    port1.postMessage(packet, transfer)
  }, {})
  const other = new ThreadLink<Record<never, never>, Sums>((packet, transfer) => port2.postMessage(packet, transfer), answers)
  port1.on('message', (packet: Packet) => link.heard(packet))
  port2.on('message', (packet: Packet) => other.heard(packet))
  return { link, packets }
}

it('answers each question, whatever order answers come in', async () => {
  const { link } = linked()
  expect(await Promise.all([link.ask('later', 30), link.ask('add', [1, 2, 3]), link.ask('later', 5), link.ask('add', [])])).toEqual(['after 30', 6, 'after 5', 0])
  expect(link.pending).toBe(0)
})

it('sends what is asked in one turn together, a few at most', async () => {
  const { link, packets } = linked()
  await Promise.all(Array.from({ length: 20 }, (_, n) => link.ask('add', [n])))
  expect(packets.map(({ length }) => length)).toEqual([8, 8, 4])
})

it('hands buffers over', async () => {
  const { link } = linked()
  const octets = new Uint8Array(100_000)
  expect(await link.ask('octets', octets, [octets.buffer])).toBe(100_000)
  expect(octets.length).toBe(0)
})

it('fails a question whose handler throws, and one that nobody answers, and no other', async () => {
  const { link } = linked()
  const [failed, missing, fine] = await Promise.allSettled([link.ask('fail', 'no such thing'), link.ask('missing', null), link.ask('add', [4])])
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'no such thing' } })
  expect(missing).toMatchObject({ status: 'rejected', reason: { message: 'Nobody answers missing' } })
  expect(fine).toEqual({ status: 'fulfilled', value: 4 })
})

it('fails what can not be cloned', async () => {
  const { link } = linked()
  await expect(link.ask('add', [(() => 1) as unknown as number])).rejects.toThrow('could not be cloned')
  expect(await link.ask('add', [5])).toBe(5)
})

it('fails a question whose answer can not be cloned', async () => {
  const { link } = linked()
  await expect(link.ask('strange', null)).rejects.toThrow('could not be cloned')
})

it('fails what waits when the other side is gone', async () => {
  const { link } = linked()
  const waiting = link.ask('later', 10_000)
  link.fail(new Error('gone'))
  await expect(waiting).rejects.toThrow('gone')
  expect(link.pending).toBe(0)
})
