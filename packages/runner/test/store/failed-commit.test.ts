import { describe, expect, it } from 'vitest'
import { startStoreProcess } from './store-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

interface Answer {
  readonly committed: number
  readonly outcome: unknown
  readonly together: readonly unknown[]
  readonly writable: boolean
  readonly lastKey: readonly number[]
  readonly deleted: unknown
  readonly unhandled: number
}

// A limit on the file's size makes the write itself fail, as a full disk does.
const LIMIT_BLOCKS = 8 * 1024

describe.runIf(process.platform !== 'win32')('a commit that the disk refuses', () => {
  it('is STORE_FULL when the disk has no room, leaves nothing behind, and others go on', async () => {
    const child = startStoreProcess('fill-full', await temporaryDirectory(), LIMIT_BLOCKS)
    const answer = (await child.next()) as Answer
    expect(await child.ended()).toBe(0)
    expect(answer.committed).toBeGreaterThan(5)
    expect(answer).toMatchObject({ outcome: 'STORE_FULL', writable: true, unhandled: 0 })
    expect(answer.together).toEqual(['STORE_FULL', 'STORE_FULL', 'STORE_FULL'])
    const last = answer.committed - 1
    expect(answer.lastKey).toEqual([0x61, last >> 8, last & 0xff, 49])
  })

  it('is STORE_FAILED when the disk has room: nothing more is written, reading goes on', async () => {
    const child = startStoreProcess('fill-failed', await temporaryDirectory(), LIMIT_BLOCKS)
    const answer = (await child.next()) as Answer
    expect(await child.ended()).toBe(0)
    expect(answer).toMatchObject({ outcome: 'STORE_FAILED', writable: false, unhandled: 0, deleted: 'STORE_FAILED' })
    expect(answer.together).toEqual(['STORE_FAILED', 'STORE_FAILED', 'STORE_FAILED'])
    const last = answer.committed - 1
    expect(answer.lastKey).toEqual([0x61, last >> 8, last & 0xff, 49])
  })
})
