import type { OpenMailbox, RowParts } from '@postern/core/store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseFetchItems } from '../../src/fetch/items.ts'
import { renderMessages } from '../../src/fetch/render.ts'
import { View } from '../../src/session/view.ts'
import { Reader } from '../../src/syntax/reader.ts'
import { fillMailbox, withMethods } from '../filled-mailbox.ts'

const NL = '\r\n'

interface Rendered {
  readonly text: string
  readonly blocks: readonly number[]
  readonly told: number
}

async function render(view: View, items: string, uids = view.uids.slice(1, view.size)): Promise<Rendered> {
  const blocks: number[] = []
  const pieces: Buffer[] = []
  const answer = renderMessages(view, { uids, items: parseFetchItems(Reader.of(items)), newlySeen: [] })
  for (;;) {
    const { done, value } = await answer.next()
    if (done === true) return { text: Buffer.concat(pieces).toString('latin1'), blocks, told: value }
    blocks.push(value.reduce((sum, octets) => sum + octets.length, 0))
    // A block is never changed afterwards, so a copy is the same as what is sent later.
    pieces.push(...value.map((octets) => Buffer.from(octets)))
  }
}

/** A view whose mailbox counts what is asked of it. */
function counting(mailbox: OpenMailbox): { view: View; fetched: RowParts[]; reads: number[] } {
  const fetched: RowParts[] = []
  const reads: number[] = []
  const counted = withMethods(mailbox, {
    fetch(uids, parts) {
      fetched.push(parts)
      return mailbox.fetch(uids, parts)
    },
    read(emailId, from, to) {
      reads.push(to - from)
      return mailbox.read(emailId, from, to)
    },
  })
  return { view: new View(counted, false), fetched, reads }
}

function largeMessage(octets: number): string {
  const header = `Subject: Large${NL}X-Other: yes${NL}${NL}`
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ+/'
  return header + alphabet.repeat(octets / 64).slice(0, octets)
}

describe('large messages', () => {
  test('pass through in blocks', async () => {
    const octets = largeMessage(300_000)
    const { mailbox } = await fillMailbox([{ octets }, { octets: `Subject: x${NL}${NL}` }])
    const { view } = counting(mailbox)
    const { text, blocks, told } = await render(view, '(BODY.PEEK[] FLAGS)')
    const first = `* 1 FETCH (UID 1 BODY[] {${octets.length}}${NL}${octets} FLAGS ())${NL}`
    expect(text).toBe(`${first}* 2 FETCH (UID 2 BODY[] {14}${NL}Subject: x${NL}${NL} FLAGS ())${NL}`)
    expect(told).toBe(2)
    expect(Math.max(...blocks)).toBeLessThanOrEqual(65_536)
  })

  test('of a part of one only that part is read', async () => {
    const octets = largeMessage(300_000)
    const { mailbox } = await fillMailbox([{ octets }])
    const { view, reads } = counting(mailbox)
    const items = '(BODY.PEEK[]<200000.1000> BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (x-other)])'
    const { text } = await render(view, items)
    const part = octets.slice(200_000, 201_000)
    const header = octets.slice(0, octets.indexOf(NL + NL) + 4)
    expect(text).toBe(
      `* 1 FETCH (UID 1 BODY[]<200000> {1000}${NL}${part} BODY[HEADER] {${header.length}}${NL}${header}` +
        ` BODY[HEADER.FIELDS (x-other)] {16}${NL}X-Other: yes${NL}${NL})${NL}`,
    )
    expect(reads).toEqual([1000, header.length, header.length])
  })

  test('a small one comes with its row', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(1000) }])
    const { view, reads, fetched } = counting(mailbox)
    await render(view, '(BODY.PEEK[] BODY.PEEK[TEXT] BODY.PEEK[HEADER.FIELDS (X-Other)])')
    expect(reads).toEqual([])
    expect(fetched).toHaveLength(1)
  })
})

describe('messages that go away', () => {
  const gone = (): OpenMailbox['read'] =>
    async function* () {
      yield* []
    }

  test('before their response begins are left out', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(100_000) }, { octets: largeMessage(10) }])
    const view = new View(withMethods(mailbox, { read: gone() }), false)
    const { text, told } = await render(view, '(BODY.PEEK[])')
    expect(text.startsWith('* 2 FETCH')).toBe(true)
    expect(told).toBe(1)
    const small = await render(view, '(BODY.PEEK[]<5.100>)')
    expect(small.told).toBe(1)
  })

  test('in the middle of their octets end the connection', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(200_000) }])
    const view = new View(
      withMethods(mailbox, {
        async *read(emailId, from, to) {
          for await (const piece of mailbox.read(emailId, from, to)) {
            yield piece
            return
          }
        },
      }),
      false,
    )
    await expect(render(view, 'BODY.PEEK[]')).rejects.toMatchObject({ code: 'RESPONSE_CUT_SHORT' })
  })

  test('a store that fails there ends it too, and before that only the command', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(200_000) }])
    const failing = (after: number): View =>
      new View(
        withMethods(mailbox, {
          async *read(emailId, from, to) {
            let left = after
            for await (const piece of mailbox.read(emailId, from, to)) {
              if (left === 0) throw new Error('The disk is gone')
              left -= 1
              yield piece
            }
          },
        }),
        false,
      )
    await expect(render(failing(1), 'BODY.PEEK[]')).rejects.toMatchObject({ code: 'RESPONSE_CUT_SHORT' })
    await expect(render(failing(0), 'BODY.PEEK[]')).rejects.toThrow('The disk is gone')
  })

  test('between two sections end it too', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(200_000) }])
    const ends = [() => Promise.resolve({ done: true, value: undefined }), () => Promise.reject(new Error('No'))]
    for (const end of ends) {
      let reads = 0
      const view = new View(
        withMethods(mailbox, {
          read(emailId, from, to) {
            reads += 1
            if (reads === 1) return mailbox.read(emailId, from, to)
            return { [Symbol.asyncIterator]: () => ({ next: end }) } as AsyncIterable<Uint8Array>
          },
        }),
        false,
      )
      const cutShort = { code: 'RESPONSE_CUT_SHORT' }
      await expect(render(view, '(BODY.PEEK[]<0.10> BODY.PEEK[]<20.10>)')).rejects.toMatchObject(cutShort)
    }
  })

  test('a store that gives too much does not spoil the stream', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(200_000) }])
    const view = new View(withMethods(mailbox, { read: (emailId, from) => mailbox.read(emailId, from, 1e9) }), false)
    await expect(render(view, 'BODY.PEEK[]<0.100000>')).rejects.toMatchObject({ code: 'RESPONSE_CUT_SHORT' })
  })

  test('UIDs the client was not told of are left out', async () => {
    const { mailbox } = await fillMailbox([{ octets: largeMessage(10) }])
    const view = new View(mailbox, false)
    const account = await fillMailbox([{ octets: largeMessage(10) }, { octets: largeMessage(10) }])
    const other = new View(withMethods(mailbox, { fetch: account.mailbox.fetch.bind(account.mailbox) }), false)
    expect((await render(other, 'UID', view.all)).told).toBe(1)
  })
})

describe('a list record that lacks fields', () => {
  test('is not answered from', async () => {
    const long = `From: ${Array.from({ length: 400 }, (_, n) => `person${n}@example.org`).join(`,${NL} `)}`
    const octets = `${long}${NL}Subject: after${NL}${NL}text`
    const { mailbox } = await fillMailbox([{ octets }])
    const { view } = counting(mailbox)
    const { text } = await render(view, 'BODY.PEEK[HEADER.FIELDS (From Subject)]')
    const fields = `${long}${NL}Subject: after${NL}${NL}`
    expect(text).toBe(`* 1 FETCH (UID 1 BODY[HEADER.FIELDS (From Subject)] {${fields.length}}${NL}${fields})${NL}`)
  })
})

describe('many messages', () => {
  test('are told without their octets being read', async () => {
    const messages = Array.from({ length: 600 }, (_, n) => ({ octets: `Subject: ${n}${NL}${NL}text` }))
    const { mailbox } = await fillMailbox(messages)
    const { view, fetched, reads } = counting(mailbox)
    const items = '(FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (Subject Date)])'
    const { text, told, blocks } = await render(view, items)
    expect(told).toBe(600)
    expect(fetched).toEqual([{ list: true, structure: false }])
    expect(reads).toEqual([])
    expect(Math.max(...blocks)).toBeLessThanOrEqual(65_536)
    expect(text.split('FETCH (UID ')).toHaveLength(601)
  })

  test('numbers are those of the view, whatever is missing between UIDs', async () => {
    const { mailbox } = await fillMailbox(Array.from({ length: 50 }, (_, n) => ({ octets: `Subject: ${n}${NL}${NL}` })))
    const view = new View(mailbox, false)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), async (removed) => {
        const uids = view.uids.remove(removed.sort((a, b) => a - b).map((uid) => ({ first: uid, last: uid })) as never)
        const other = new View(mailbox, false)
        other.setUids(uids)
        const { text } = await render(other, 'UID', view.all)
        const lines = [...uids].map((uid, index) => `* ${index + 1} FETCH (UID ${uid})${NL}`)
        expect(text).toBe(lines.join(''))
      }),
      { numRuns: 30 },
    )
  })
})

describe('partials', () => {
  test('are slices of the message', async () => {
    const octets = largeMessage(70_000)
    const { mailbox } = await fillMailbox([{ octets }, { octets: largeMessage(5000) }])
    const view = new View(mailbox, false)
    await fc.assert(
      fc.asyncProperty(fc.nat(72_000), fc.integer({ min: 1, max: 80_000 }), async (origin, length) => {
        const { text } = await render(view, `(BODY.PEEK[]<${origin}.${length}>)`)
        const responses = [octets, largeMessage(5000)].map((whole, index) => {
          const part = whole.slice(origin, origin + length)
          const written = part === '' ? '""' : `{${part.length}}${NL}${part}`
          return `* ${index + 1} FETCH (UID ${index + 1} BODY[]<${origin}> ${written})${NL}`
        })
        expect(text).toBe(responses.join(''))
      }),
      { numRuns: 50 },
    )
  })
})
