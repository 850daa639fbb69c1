import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { silentLogger } from '@postern/core/host'
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/host/clock.ts'
import { systemRandom } from '../../src/host/random.ts'
import type { DataDirectory } from '../../src/store/data-directory.ts'
import { openDataDirectory } from '../../src/store/data-directory.ts'
import { serverKeys } from '../../src/store/server-keys.ts'
import { encodeNumber } from '../../src/store/server-records.ts'
import { FORMAT_VERSION } from '../../src/store/store-lock.ts'
import { startStoreProcess } from './store-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

async function opened(directory: string): Promise<DataDirectory> {
  const data = await openDataDirectory({ directory, clock: systemClock, random: systemRandom, log: silentLogger })
  onTestFinished(() => data.close())
  return data
}

/** A directory with a store in it, closed. */
async function storeDirectory(): Promise<string> {
  const directory = join(await temporaryDirectory(), 'data')
  await (await opened(directory)).close()
  return directory
}

describe('who may serve a store', () => {
  it('refuses a second process while the first lives, names it, and lets go when it is killed', async () => {
    const directory = await storeDirectory()
    const first = startStoreProcess('hold', directory)
    const { opened: pid } = (await first.next()) as { opened: number }
    await expect(opened(directory)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`process ${pid}`) as string,
    })
    const second = startStoreProcess('hold', directory)
    expect(await second.next()).toMatchObject({ refused: 'STORE_LOCKED' })
    expect(await second.ended()).toBe(0)

    await first.kill()
    const data = await opened(directory)
    expect(await data.store.getMany([Uint8Array.of(0x61, 0, 0)])).toEqual([Uint8Array.of(1)])
    await data.close()
  }, 60_000)

  it('refuses a process while this one has it open', async () => {
    const directory = await storeDirectory()
    const data = await opened(directory)
    const other = startStoreProcess('hold', directory)
    expect(await other.next()).toMatchObject({
      refused: 'STORE_LOCKED',
      text: expect.stringContaining(`${process.pid}`) as string,
    })
    await data.close()
    const next = startStoreProcess('hold', directory)
    expect(await next.next()).toMatchObject({ opened: expect.any(Number) as number })
    await next.kill()
  }, 60_000)

  it('refuses a second opening in this process, also by another name of the directory', async () => {
    const directory = await storeDirectory()
    const data = await opened(directory)
    await expect(opened(join(directory, '..', 'data'))).rejects.toMatchObject({ code: 'STORE_LOCKED' })
    await data.close()
    await (await opened(directory)).close()
  })

  it('can be opened again after an opening that failed', async () => {
    const directory = await storeDirectory()
    const id = await readFile(join(directory, 'install-id'))
    await writeFile(join(directory, 'install-id'), 'another\n')
    await expect(opened(directory)).rejects.toMatchObject({ code: 'STORE_COPIED' })
    await writeFile(join(directory, 'install-id'), id)
    await (await opened(directory)).close()
  })
})

describe('where a store belongs', () => {
  it('refuses a store that was copied into another installation', async () => {
    const [from, to] = [await storeDirectory(), await storeDirectory()]
    await cp(join(from, 'store.mdb'), join(to, 'store.mdb'))
    await expect(opened(to)).rejects.toMatchObject({
      code: 'STORE_COPIED',
      message: expect.stringContaining('restore') as string,
    })
  })

  it('refuses a store that was put where none was', async () => {
    const from = await storeDirectory()
    const to = join(await temporaryDirectory(), 'data')
    await mkdir(to)
    await cp(join(from, 'store.mdb'), join(to, 'store.mdb'))
    await expect(opened(to)).rejects.toMatchObject({ code: 'STORE_COPIED' })
  })

  it('gives an empty store a new identity when its file was lost', async () => {
    const directory = await storeDirectory()
    const before = await readFile(join(directory, 'install-id'), 'utf8')
    await rm(join(directory, 'store.mdb'))
    await (await opened(directory)).close()
    expect(await readFile(join(directory, 'install-id'), 'utf8')).not.toBe(before)
  })

  it('refuses the format of a newer version, and says which it is', async () => {
    const directory = await storeDirectory()
    const data = await opened(directory)
    const newer = encodeNumber(FORMAT_VERSION + 1)
    await data.store.commit({ partition: serverKeys.partition, put: [{ key: serverKeys.format, value: newer }] })
    await data.close()
    await expect(opened(directory)).rejects.toMatchObject({
      code: 'STORE_FORMAT',
      message: expect.stringContaining(`format ${FORMAT_VERSION + 1}`) as string,
    })
  })
})
