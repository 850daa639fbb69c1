/** Time and faults of the analysis: it ends within a minute, and what goes wrong in it costs one message. */
import { StoreError } from '../store/index.ts'
import type { ReceiveHost } from './receive-host.ts'

/** For all look-ups about one message together. */
const ANALYSIS_MS = 60_000

/**
 * Runs a part of the analysis with a signal that is aborted when the time for it is over, or by the given one; what does
 * not heed it is left behind. @returns undefined, and logs why, when it failed. Rejects with `StoreError`, or when aborted
 */
export async function analyse<T>(host: Pick<ReceiveHost, 'clock' | 'logger'>, signal: AbortSignal, run: (deadline: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const late = new AbortController()
  const timer = host.clock.timer(ANALYSIS_MS, () => late.abort(new Error('The analysis took too long')))
  const onAbort = (): void => late.abort(signal.reason)
  const over = new Promise<never>((_, reject) => {
    late.signal.addEventListener('abort', () => reject(late.signal.reason as Error), { once: true })
  })
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(late.signal), over])
  } catch (error) {
    if (error instanceof StoreError || signal.aborted) throw error
    host.logger.error({ err: error }, 'The analysis failed')
    return undefined
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', onAbort)
  }
}
