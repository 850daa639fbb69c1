/** What every engine under the store has to do alike. */
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Batch, Entry, OrderedStore } from '../../src/store/ordered-store.ts'
import { LIMITS, compareOctets } from '../../src/store/ordered-store.ts'

const PARTITION = Uint8Array.of(0x61)

/** Key in the partition. */
export function key(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(`a${text}`, 'latin1'))
}

export function value(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

function text(octets: Uint8Array | undefined): string | undefined {
  return octets === undefined ? undefined : Buffer.from(octets).toString('latin1')
}

function entry(name: string, content = name): Entry {
  return { key: key(name), value: value(content) }
}

function names(entries: readonly Entry[]): string[] {
  return entries.map(({ key }) => (text(key) as string).slice(1))
}

export function describeOrderedStore(engine: string, open: () => Promise<OrderedStore>): void {
  async function opened(entries: readonly Entry[] = []): Promise<OrderedStore> {
    const store = await open()
    onTestFinished(() => store.close())
    if (entries.length > 0) {
      const put = [...entries].sort((a, b) => compareOctets(a.key, b.key))
      expect(await store.commit({ partition: PARTITION, put })).toBe('committed')
    }
    return store
  }

  describe(`ordered store: ${engine}`, () => {
    it('gives back what was put, octet for octet, and nothing for other keys', async () => {
      const octets = Uint8Array.from({ length: 256 }, (_, i) => i)
      const store = await opened([
        { key: key('all'), value: octets },
        { key: key('empty'), value: new Uint8Array(0) },
        { key: key('long'), value: new Uint8Array(LIMITS.valueOctets).fill(7) },
      ])
      const [all, empty, long, none] = await store.getMany(['all', 'empty', 'long', 'none'].map(key))
      expect(all).toEqual(octets)
      expect(empty).toEqual(new Uint8Array(0))
      expect(long).toEqual(new Uint8Array(LIMITS.valueOctets).fill(7))
      expect(none).toBeUndefined()
    })

    it('gives copies: neither later reads nor the reader of one can change them', async () => {
      const store = await opened([entry('a', 'first'), entry('b', 'second value')])
      const [a] = await store.getMany([key('a')])
      const [b] = await store.getMany([key('b')])
      expect([text(a), text(b)]).toEqual(['first', 'second value'])
      expect(a?.length).toBe(5)
      a?.fill(0)
      expect(text((await store.getMany([key('a')]))[0])).toBe('first')
      const [found] = await store.range({ from: key('a'), to: key('b'), limit: 9 })
      found?.value.fill(0)
      expect(text((await store.getMany([key('a')]))[0])).toBe('first')
    })

    it('finds no octets of other values behind a value', async () => {
      const store = await opened([entry('big', 'x'.repeat(4000) + 'needle'), entry('small', 'hay')])
      const found = await store.read(PARTITION, (reader) => {
        reader.get(key('big'))
        return reader.get(key('small'))
      })
      expect(found?.buffer.byteLength).toBe(3)
      expect(found?.indexOf('n'.charCodeAt(0))).toBe(-1)
    })

    it('replaces and deletes; deleting what is not there is no error', async () => {
      const store = await opened([entry('a', '1'), entry('b', '2')])
      await store.commit({ partition: PARTITION, put: [entry('a', '3')], delete: [key('b'), key('c')] })
      expect((await store.getMany([key('a'), key('b')])).map(text)).toEqual(['3', undefined])
    })

    const ordered = [
      '',
      '\x00',
      '\x00\x00',
      '\x00\xff',
      '\x01',
      'A',
      'a',
      'a\x00',
      'aa',
      'b',
      '\x7f',
      '\x80',
      '\xfe',
      '\xff',
      '\xff\xff',
    ]
    const ranges: readonly [
      title: string,
      from: string,
      to: string,
      reverse: boolean,
      limit: number,
      expected: readonly string[],
    ][] = [
      ['all, by octets', '', '\xff\xff\xff', false, 99, ordered],
      ['all, descending', '', '\xff\xff\xff', true, 99, [...ordered].reverse()],
      ['from inclusive, to exclusive', 'A', 'b', false, 99, ['A', 'a', 'a\x00', 'aa']],
      ['descending: from inclusive, to exclusive', 'A', 'b', true, 99, ['aa', 'a\x00', 'a', 'A']],
      ['bounds that are no keys', 'B', 'az', false, 99, ['a', 'a\x00', 'aa']],
      ['descending, bounds that are no keys', 'B', 'az', true, 99, ['aa', 'a\x00', 'a']],
      ['limit', '\x00', '\xff', false, 3, ['\x00', '\x00\x00', '\x00\xff']],
      ['limit, descending', '\x00', '\xff', true, 2, ['\xfe', '\x80']],
      ['limit 0', '', '\xff', false, 0, []],
      ['nothing between', 'c', 'd', false, 9, []],
      ['nothing between, descending', 'c', 'd', true, 9, []],
      ['empty range', 'a', 'a', false, 9, []],
      ['turned round', 'b', 'a', false, 9, []],
    ]
    it.each(ranges)('range: %s', async (_title, from, to, reverse, limit, expected) => {
      const store = await opened(ordered.map((name) => entry(name)))
      const range = { from: key(from), to: key(to), reverse, limit }
      expect(names(await store.range(range))).toEqual(expected)
      expect(names(await store.read(PARTITION, (reader) => reader.range(range)))).toEqual(expected)
    })

    it('pages through a range in both directions', async () => {
      const all = Array.from({ length: 500 }, (_, i) => String(i).padStart(4, '0'))
      const store = await opened(all.map((name) => entry(name)))
      const forward: string[] = []
      for (let from = key(''); ;) {
        const page = await store.range({ from, to: key('\xff'), limit: 37 })
        forward.push(...names(page))
        const last = page.at(-1)
        if (last === undefined) break
        from = new Uint8Array([...last.key, 0])
      }
      expect(forward).toEqual(all)
      const backward: string[] = []
      for (let to = key('\xff'); ;) {
        const page = await store.range({ from: key(''), to, reverse: true, limit: 37 })
        backward.push(...names(page))
        const last = page.at(-1)
        if (last === undefined) break
        to = last.key
      }
      expect(backward).toEqual([...all].reverse())
    })

    const expectations: readonly [title: string, expected: Batch['expect'], outcome: 'committed' | 'conflict'][] = [
      ['the value', [{ key: key('a'), value: value('1') }], 'committed'],
      ['another value', [{ key: key('a'), value: value('2') }], 'conflict'],
      ['a longer value', [{ key: key('a'), value: value('11') }], 'conflict'],
      ['a shorter value', [{ key: key('a'), value: value('') }], 'conflict'],
      ['absence of what is there', [{ key: key('a'), value: undefined }], 'conflict'],
      ['absence of what is absent', [{ key: key('z'), value: undefined }], 'committed'],
      ['a value where none is', [{ key: key('z'), value: value('1') }], 'conflict'],
      ['an empty value where none is', [{ key: key('z'), value: value('') }], 'conflict'],
      ['absence of an empty value', [{ key: key('e'), value: undefined }], 'conflict'],
      [
        'two, of which the second does not hold',
        [
          { key: key('a'), value: value('1') },
          { key: key('e'), value: value('1') },
        ],
        'conflict',
      ],
    ]
    it.each(expectations)('expects %s', async (_title, expected, outcome) => {
      const store = await opened([entry('a', '1'), entry('e', '')])
      const batch: Batch = { partition: PARTITION, expect: expected ?? [], put: [entry('b')], delete: [key('e')] }
      expect(await store.commit(batch)).toBe(outcome)
      const [b, e] = await store.getMany([key('b'), key('e')])
      expect([b !== undefined, e === undefined]).toEqual([outcome === 'committed', outcome === 'committed'])
    })

    it('lets exactly one of six writers of an absent key win', async () => {
      const store = await opened()
      for (let round = 0; round < 20; round += 1) {
        const outcomes = await Promise.all(
          Array.from({ length: 6 }, (_, writer) =>
            store.commit({
              partition: PARTITION,
              expect: [{ key: key(`race${round}`), value: undefined }],
              put: [entry(`race${round}`, `writer ${writer}`)],
            }),
          ),
        )
        expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1)
        const [stored] = await store.getMany([key(`race${round}`)])
        expect(text(stored)).toBe(`writer ${outcomes.indexOf('committed')}`)
      }
    })

    it('loses no update when many compare and set one counter', async () => {
      const store = await opened([entry('counter', '0')])
      async function increment(): Promise<void> {
        for (;;) {
          const [stored] = await store.getMany([key('counter')])
          const next = entry('counter', String(Number(text(stored)) + 1))
          const expected = [{ key: key('counter'), value: stored }]
          if ((await store.commit({ partition: PARTITION, expect: expected, put: [next] })) === 'committed') return
        }
      }
      await Promise.all(Array.from({ length: 25 }, increment))
      expect(text((await store.getMany([key('counter')]))[0])).toBe('25')
    })

    const tooLong = new Uint8Array(LIMITS.keyOctets + 1).fill(0x61)
    const many = (count: number): Entry[] =>
      Array.from({ length: count }, (_, i) => entry(String(i).padStart(6, '0'), ''))
    const heavy = (count: number): Entry[] =>
      Array.from({ length: count }, (_, i) => ({ key: key(String(i).padStart(6, '0')), value: new Uint8Array(8000) }))
    const refused: readonly [title: string, batch: Batch][] = [
      ['a value of 8,101 octets', { partition: PARTITION, put: [{ key: key('a'), value: new Uint8Array(8101) }] }],
      ['a key of 512 octets', { partition: PARTITION, put: [{ key: tooLong, value: value('') }] }],
      ['a deleted key of 512 octets', { partition: PARTITION, delete: [tooLong] }],
      ['an expected key of 512 octets', { partition: PARTITION, expect: [{ key: tooLong, value: undefined }] }],
      [
        'a key outside the partition',
        { partition: PARTITION, put: [{ key: Uint8Array.of(0x62, 1), value: value('') }] },
      ],
      ['an expectation outside', { partition: PARTITION, expect: [{ key: Uint8Array.of(0x62), value: undefined }] }],
      ['a deletion outside', { partition: Uint8Array.of(0x61, 0x62), delete: [key('a')] }],
      ['no partition', { partition: new Uint8Array(0), put: [entry('a')] }],
      ['puts out of order', { partition: PARTITION, put: [entry('b'), entry('a')] }],
      ['a key put twice', { partition: PARTITION, put: [entry('a'), entry('a', '2')] }],
      ['deletions out of order', { partition: PARTITION, delete: [key('b'), key('a')] }],
      ['a key put and deleted', { partition: PARTITION, put: [entry('a'), entry('b')], delete: [key('b')] }],
      ['513 puts', { partition: PARTITION, put: many(513) }],
      ['512 puts and a deletion', { partition: PARTITION, put: many(512), delete: [key('x')] }],
      ['more than 1 MiB', { partition: PARTITION, put: heavy(132) }],
      ['16,385 puts, large', { partition: PARTITION, large: true, put: many(16_385) }],
    ]
    it.each(refused)('refuses %s and writes nothing', async (_title, batch) => {
      const store = await opened()
      await expect(store.commit(batch)).rejects.toMatchObject({ code: 'STORE_BATCH' })
      expect(await store.range({ from: PARTITION, to: key('\xff\xff'), limit: 1 })).toEqual([])
    })

    it('takes batches up to the limits', async () => {
      const store = await opened()
      const longest = new Uint8Array(LIMITS.keyOctets).fill(0x61)
      expect(await store.commit({ partition: PARTITION, put: many(512) })).toBe('committed')
      expect(await store.commit({ partition: PARTITION, put: heavy(130) })).toBe('committed')
      expect(await store.commit({ partition: PARTITION, put: [{ key: longest, value: value('1') }] })).toBe('committed')
      expect(await store.commit({ partition: PARTITION, large: true, put: many(2000) })).toBe('committed')
      expect(text((await store.getMany([longest]))[0])).toBe('1')
      expect(await store.range({ from: key('000000'), to: key('999999'), limit: 5000 })).toHaveLength(2000)
    })

    it('reads one moment in a slice, and what was committed before it', async () => {
      const store = await opened([entry('a', '0'), entry('b', '0')])
      const writes: Promise<unknown>[] = []
      for (let i = 1; i <= 40; i += 1) {
        writes.push(store.commit({ partition: PARTITION, put: [entry('a', String(i)), entry('b', String(i))] }))
        const [a, b] = await store.read(PARTITION, (reader) => [text(reader.get(key('a'))), text(reader.get(key('b')))])
        expect(a).toBe(b)
      }
      await Promise.all(writes)
      expect(await store.read(PARTITION, (reader) => text(reader.get(key('a'))))).toBe('40')
    })

    it('starts no read within a slice', async () => {
      const store = await opened()
      await expect(store.read(PARTITION, () => store.getMany([key('a')]))).rejects.toThrow('slice')
    })

    it('rejects a read whose function throws, and reads on', async () => {
      const store = await opened([entry('a')])
      const fail = (): never => {
        throw new Error('of the caller')
      }
      await expect(store.read(PARTITION, fail)).rejects.toThrow('of the caller')
      expect(text((await store.getMany([key('a')]))[0])).toBe('a')
    })

    it('refuses everything once closed, and closes twice', async () => {
      const store = await opened([entry('a')])
      await store.close()
      await store.close()
      const closed = { code: 'STORE_CLOSED' }
      await expect(store.getMany([key('a')])).rejects.toMatchObject(closed)
      await expect(store.range({ from: key('a'), to: key('b'), limit: 1 })).rejects.toMatchObject(closed)
      await expect(store.read(PARTITION, () => 1)).rejects.toMatchObject(closed)
      await expect(store.commit({ partition: PARTITION, put: [entry('b')] })).rejects.toMatchObject(closed)
      expect(store.writable).toBe(false)
    })

    it('is a sorted map under any batches', async () => {
      const name = fc.string({ unit: fc.constantFrom('\x00', 'a', 'b', '\xff'), maxLength: 3 })
      const change = fc.record({ name, content: fc.option(fc.string({ maxLength: 3 }), { nil: undefined }) })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uniqueArray(change, { selector: (c) => c.name, maxLength: 6 }), { maxLength: 5 }),
          async (batches) => {
            const store = await open()
            try {
              const model = new Map<string, string>()
              for (const batch of batches) {
                const sorted = [...batch].sort((a, b) => compareOctets(key(a.name), key(b.name)))
                await store.commit({
                  partition: PARTITION,
                  put: sorted.filter((c) => c.content !== undefined).map((c) => entry(c.name, c.content)),
                  delete: sorted.filter((c) => c.content === undefined).map((c) => key(c.name)),
                })
                for (const { name, content } of batch) {
                  if (content === undefined) model.delete(name)
                  else model.set(name, content)
                }
              }
              const expected = [...model].sort(([a], [b]) => compareOctets(key(a), key(b)))
              const found = await store.range({ from: PARTITION, to: Uint8Array.of(0x62), limit: 1000 })
              expect(found.map(({ key, value }) => [text(key)?.slice(1), text(value)])).toEqual(expected)
            } finally {
              await store.close()
            }
          },
        ),
        { numRuns: 25 },
      )
    })
  })
}
