/** Deliveries into a store, so many at a time, and how long each took. */
import type { AccountStore, MailStore } from '@postern/core/store'
import { spoolMessage } from './aged-store.ts'
import { formatFigure, quantile } from './figures.ts'

export interface Load {
  readonly count: number
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Whatever comes first. */
export interface Until {
  readonly seconds?: number
  readonly count?: number
  readonly isOver?: () => boolean
}

/** One message of its own into the inbox. */
export async function deliver(store: MailStore, account: AccountStore, octets: number): Promise<void> {
  const message = await spoolMessage(store, octets)
  await account.append('INBOX', [{ message, flags: 0, keywords: [] }])
  message.release()
}

/** Runs `inFlight` at a time; each is given its number, from 1. */
export async function load(inFlight: number, until: Until, run: (n: number) => Promise<void>): Promise<Load> {
  const taken: number[] = []
  const started = performance.now()
  let n = 0
  const { seconds = Infinity, count = Infinity } = until
  const isOver = (): boolean => n >= count || performance.now() - started >= seconds * 1000 || (n > 0 && until.isOver?.() === true)
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (!isOver()) {
        const before = performance.now()
        await run((n += 1))
        taken.push(performance.now() - before)
      }
    }),
  )
  const perSecond = taken.length / ((performance.now() - started) / 1000)
  return { count: taken.length, perSecond, p50: quantile(taken, 0.5), p99: quantile(taken, 0.99), max: quantile(taken, 1) }
}

export function formatLoad({ perSecond, p50, p99, max }: Load): string {
  return `${formatFigure(perSecond)}/s, p50 ${formatFigure(p50)}, p99 ${formatFigure(p99)}, max ${formatFigure(max)} ms`
}
