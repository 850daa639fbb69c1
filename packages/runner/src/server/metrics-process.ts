/** What a process tells of itself: whether it keeps up, and what it holds. Read when somebody reads. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '@postern/core/host'

/** LIMIT: twenty looks a second cost nothing that can be measured, and miss no delay that a client would notice. */
const RESOLUTION_MS = 50
const NANOSECONDS = 1e9

/**
 * Watches until it is stopped. Nothing is watched where nobody reads gauges.
 * @param isStoreAccepting whether mail is taken: false while the disk is under its reserve or after a failed commit
 * @returns stops
 */
export function watchProcess(metrics: Metrics, isStoreAccepting: () => boolean): () => void {
  if (metrics.beforeReading === undefined) return () => {}
  const delay = metrics.gauge({ name: 'postern_event_loop_delay_seconds', help: 'How late timers fired since the last reading, by share of them', labels: ['quantile'] })
  const resident = metrics.gauge({ name: 'postern_resident_memory_bytes', help: 'Memory of the process' }).of()
  const accepting = metrics.gauge({ name: 'postern_store_accepting', help: '1 while mail can be stored, 0 while it is refused for want of room' }).of()
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  const stopLooking = metrics.beforeReading(() => {
    // Nothing recorded yet reads as zero, not as the histogram's odd bounds.
    const late = (nanoseconds: number): number => (histogram.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION_MS / 1_000))
    delay.of('0.5').set(late(histogram.percentile(50)))
    delay.of('0.99').set(late(histogram.percentile(99)))
    delay.of('1').set(late(histogram.max))
    histogram.reset()
    resident.set(process.memoryUsage.rss())
    accepting.set(isStoreAccepting() ? 1 : 0)
  })
  return () => {
    stopLooking()
    histogram.disable()
  }
}
