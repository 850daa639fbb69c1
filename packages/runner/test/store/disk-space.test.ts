import { silentLogger } from '@postern/core/host'
import { describe, expect, it } from 'vitest'
import type { DiskSpace, DiskSpaceOptions } from '../../src/store/disk-space.ts'
import { createDiskSpace } from '../../src/store/disk-space.ts'
import { systemClock } from '../../src/host/clock.ts'
import type { TestClock } from '../../src/testing/test-clock.ts'
import { createTestClock } from '../../src/testing/test-clock.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const MIB = 1_048_576

interface Measured {
  readonly disk: DiskSpace
  readonly clock: TestClock
  /** What the file system will say. */
  readonly says: { freeOctets: number; totalOctets: number }
  /** How often it was asked. */
  readonly asked: () => number
}

async function measured(
  freeOctets: number,
  totalOctets: number,
  options: Partial<DiskSpaceOptions> = {},
): Promise<Measured> {
  const clock = createTestClock({ frozen: true })
  const says = { freeOctets, totalOctets }
  let asked = 0
  const disk = await createDiskSpace({
    directory: '/nowhere',
    clock,
    log: silentLogger,
    measure: async () => {
      asked += 1
      return { ...says }
    },
    ...options,
  })
  return { disk, clock, says, asked: () => asked }
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

describe('disk space', () => {
  const reserves: readonly [
    title: string,
    free: number,
    total: number,
    reserve: number | undefined,
    accepting: boolean,
  ][] = [
    ['256 MiB of a large disk: enough', 256 * MIB, 1_000_000 * MIB, undefined, true],
    ['256 MiB of a large disk: too little', 256 * MIB - 1, 1_000_000 * MIB, undefined, false],
    ['5 % of a small disk: enough', 50 * MIB, 1000 * MIB, undefined, true],
    ['5 % of a small disk: too little', 50 * MIB - 1, 1000 * MIB, undefined, false],
    ['as configured: enough', 10 * MIB, 1000 * MIB, 10 * MIB, true],
    ['as configured: too little', 9 * MIB, 1000 * MIB, 10 * MIB, false],
    ['no reserve wanted', 0, 1000 * MIB, 0, true],
  ]
  it.each(reserves)('reserve of %s', async (_title, free, total, reserveOctets, accepting) => {
    const { disk } = await measured(free, total, reserveOctets === undefined ? {} : { reserveOctets })
    expect(disk.accepting).toBe(accepting)
  })

  it('asks the file system at most once a second, however often it is asked', async () => {
    const { disk, clock, asked } = await measured(900 * MIB, 1000 * MIB)
    for (let i = 0; i < 100; i += 1) expect(disk.accepting).toBe(true)
    await clock.advance(999)
    await disk.assertRoom(1)
    expect(asked()).toBe(1)
    await clock.advance(1)
    for (let i = 0; i < 100; i += 1) expect(disk.accepting).toBe(true)
    await settled()
    expect(asked()).toBe(2)
  })

  it('stops taking mail when the disk runs low, and takes it again', async () => {
    const { disk, clock, says } = await measured(900 * MIB, 1000 * MIB)
    for (const [freeOctets, accepting] of [
      [10 * MIB, false],
      [900 * MIB, true],
    ] as const) {
      says.freeOctets = freeOctets
      await clock.advance(1000)
      void disk.accepting
      await settled()
      expect(disk.accepting).toBe(accepting)
    }
  })

  it('refuses a write that would go below the reserve, and measures anew for it', async () => {
    const { disk, clock, says } = await measured(100 * MIB, 1000 * MIB)
    await disk.assertRoom(50 * MIB)
    await expect(disk.assertRoom(50 * MIB + 1)).rejects.toMatchObject({ code: 'STORE_FULL' })
    says.freeOctets = 60 * MIB
    await clock.advance(1000)
    await expect(disk.assertRoom(20 * MIB)).rejects.toMatchObject({ code: 'STORE_FULL' })
  })

  it('goes on with what it knew when the file system does not answer', async () => {
    const { disk, clock } = await measured(900 * MIB, 1000 * MIB, {
      measure: (() => {
        let times = 0
        return async () => {
          times += 1
          if (times > 1) throw new Error('of the file system')
          return { freeOctets: 900 * MIB, totalOctets: 1000 * MIB }
        }
      })(),
    })
    await clock.advance(1000)
    expect(disk.accepting).toBe(true)
    await settled()
    expect(disk.accepting).toBe(true)
    await expect(disk.freeOctets()).rejects.toThrow('of the file system')
  })

  it('measures a real file system', async () => {
    const disk = await createDiskSpace({
      directory: await temporaryDirectory(),
      clock: systemClock,
      log: silentLogger,
      reserveOctets: 1,
    })
    expect(await disk.freeOctets()).toBeGreaterThan(1)
    expect(disk.accepting).toBe(true)
  })
})
