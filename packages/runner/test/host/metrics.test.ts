import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/host/metrics.ts'

describe('the registry', () => {
  it('tells counters, gauges and histograms as Prometheus reads them', async () => {
    const metrics = createMetrics()
    const counter = metrics.counter({ name: 'a_total', help: 'A', labels: ['x', 'y'] })
    counter.of('1', '2').add()
    counter.of('1', '2').add(2)
    counter.of('quote"\\\n', '').add()
    const gauge = metrics.gauge({ name: 'b', help: 'B' }).of()
    gauge.set(5)
    gauge.add(-2)
    metrics.histogram({ name: 'c_seconds', help: 'C', labels: ['x'], buckets: [1, 2] }).of('z').observe(1.5)
    expect((await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([
      'a_total{x="1",y="2"} 3',
      'a_total{x="quote\\"\\\\\\n",y=""} 1',
      'b 3',
      'c_seconds_bucket{le="1",x="z"} 0',
      'c_seconds_bucket{le="2",x="z"} 1',
      'c_seconds_bucket{le="+Inf",x="z"} 1',
      'c_seconds_sum{x="z"} 1.5',
      'c_seconds_count{x="z"} 1',
    ])
  })

  it.each([-1, Number.NaN, Infinity])('is readable after a counter was given %d', async (amount) => {
    const metrics = createMetrics()
    const counter = metrics.counter({ name: 'a_total', help: 'A' }).of()
    counter.add(2)
    counter.add(amount)
    expect(await metrics.text()).toContain('\na_total 2\n')
  })

  it('looks before it is read', async () => {
    const metrics = createMetrics()
    const gauge = metrics.gauge({ name: 'b', help: 'B' }).of()
    let value = 0
    const stop = metrics.beforeReading(() => gauge.set((value += 1)))
    expect(await metrics.text()).toContain('\nb 1\n')
    expect(await metrics.text()).toContain('\nb 2\n')
    stop()
    expect(await metrics.text()).toContain('\nb 2\n')
  })

  it('is another for each server', async () => {
    createMetrics().counter({ name: 'a_total', help: 'A' }).of().add()
    const other = createMetrics()
    other.counter({ name: 'a_total', help: 'A' }).of()
    expect(await other.text()).toContain('\na_total 0\n')
  })

  it('does not grow with labels that are made up', async () => {
    const metrics = createMetrics()
    const counter = metrics.counter({ name: 'a_total', help: 'A', labels: ['x'] })
    for (let n = 0; n < 5_000; n += 1) counter.of(String(n)).add()
    counter.of('3').add()
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('a_total'))
    expect(lines).toHaveLength(1_001)
    expect(lines).toContain('a_total{x="other"} 4000')
    expect(lines).toContain('a_total{x="3"} 2')
  })
})
