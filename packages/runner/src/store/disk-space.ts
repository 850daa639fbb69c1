/** How much room the file system has, and whether mail may still be taken. */
import { statfs } from 'node:fs/promises'
import type { Clock, Logger } from '@postern/core/host'
import { StoreError } from '@postern/core/store'

/** LIMIT: enough for deletions, the free list and log files of a full store to go on. */
const DEFAULT_RESERVE_OCTETS = 256 * 1_048_576
const DEFAULT_RESERVE_SHARE = 0.05
/** How long an answer of the file system is good for. */
const FRESH_MS = 1000

export interface DiskSpaceOptions {
  /** Any directory of the file system. */
  readonly directory: string
  readonly clock: Clock
  readonly log: Logger
  /** Free space below which no mail is taken. Default: 256 MiB or 5 % of the file system, whichever is less. */
  readonly reserveOctets?: number
  /** Asks the file system; for tests. */
  readonly measure?: (directory: string) => Promise<{ readonly freeOctets: number; readonly totalOctets: number }>
}

export interface DiskSpace {
  /** As of at most a second before the last question; asking brings it up to date for the next. */
  readonly accepting: boolean
  /** As of now. */
  freeOctets(): Promise<number>
  /** Asked before a large write. Rejects with `StoreError` STORE_FULL when it would go below the reserve. */
  assertRoom(octets: number): Promise<void>
}

/** Measures once before it resolves. Rejects when the directory can't be asked. */
export async function createDiskSpace(options: DiskSpaceOptions): Promise<DiskSpace> {
  const { directory, clock, log } = options
  const measure = options.measure ?? measureFileSystem
  let freeOctets = 0
  let reserveOctets = 0
  let measuredMs = 0
  let under: boolean | undefined
  let refreshing: Promise<void> | undefined

  async function refresh(): Promise<void> {
    const measured = await measure(directory)
    freeOctets = measured.freeOctets
    reserveOctets =
      options.reserveOctets ??
      Math.min(DEFAULT_RESERVE_OCTETS, Math.floor(measured.totalOctets * DEFAULT_RESERVE_SHARE))
    measuredMs = clock.monotonic()
    if (under === freeOctets < reserveOctets) return
    if (freeOctets < reserveOctets)
      log.error({ freeOctets, reserveOctets }, 'Disk is under its reserve: no mail is taken')
    else if (under === true) log.info({ freeOctets, reserveOctets }, 'Disk has room again: mail is taken')
    under = freeOctets < reserveOctets
  }

  /** Joins a measurement that is under way. */
  function refreshed(): Promise<void> {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  function isStale(): boolean {
    return clock.monotonic() - measuredMs >= FRESH_MS
  }

  await refreshed()
  return {
    get accepting() {
      if (isStale()) {
        refreshed().catch((error: unknown) => log.warn({ err: error }, 'Free disk space is not known'))
      }
      return freeOctets >= reserveOctets
    },
    async freeOctets() {
      await refreshed()
      return freeOctets
    },
    async assertRoom(octets) {
      if (isStale()) await refreshed()
      if (freeOctets - octets < reserveOctets) throw new StoreError('STORE_FULL', 'Disk is under its reserve')
    },
  }
}

async function measureFileSystem(directory: string): Promise<{ freeOctets: number; totalOctets: number }> {
  const { bavail, blocks, bsize } = await statfs(directory)
  return { freeOctets: bavail * bsize, totalOctets: blocks * bsize }
}
