/** Servers that do the same in turns, so that a slow spell of the machine hits all; medians and ratios are printed. */
import { formatFigure, median } from './figures.ts'
import { processorSeconds } from './processor-time.ts'

export interface Contestant {
  readonly name: string
  readonly port: number
  /** The process whose tree is the server, where it is known. */
  readonly pid: number | undefined
  readonly stop: () => void | Promise<void>
}

/** What one run did. */
export interface Run {
  readonly count: number
  readonly seconds: number
  /** Processor seconds of the client over seconds of the run: at 1 the client is what is measured. */
  readonly clientLoad: number
  readonly octets?: number
}

export interface Discipline {
  readonly name: string
  readonly unit: string
  /** The first contestant is to reach this multiple of the named one. */
  readonly bar?: { readonly against: string; readonly least: number }
  readonly rounds?: number
  /** @param round 0 warms up and isn't counted */
  readonly run: (contestant: Contestant, round: number) => Promise<Run>
}

interface Measured {
  readonly perSecond: number
  readonly clientLoad: number
  readonly serverMicroseconds: number
  readonly octetsEach: number
}

/** Runs one discipline and prints it. @returns the medians per second, by contestant */
export async function compete(discipline: Discipline, contestants: readonly Contestant[], rounds: number): Promise<ReadonlyMap<string, number>> {
  const runs = new Map<string, Measured[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round <= (discipline.rounds ?? rounds); round += 1) {
    for (const contestant of contestants) {
      const measured = await measure(discipline, contestant, round)
      if (round > 0) runs.get(contestant.name)?.push(measured)
    }
  }
  const of = (name: string, figure: keyof Measured): number => median((runs.get(name) ?? []).map((run) => run[figure]))
  const rates = new Map(contestants.map(({ name }) => [name, of(name, 'perSecond')]))
  console.log(`${discipline.name}:`)
  for (const { name } of contestants) {
    const octets = of(name, 'octetsEach')
    console.log(
      `  ${name}: ${formatFigure(rates.get(name) ?? 0)} ${discipline.unit}/s; server ${formatFigure(of(name, 'serverMicroseconds'))} µs of processor each, ` +
        `client busy ${(100 * of(name, 'clientLoad')).toFixed(0)} %${Number.isNaN(octets) ? '' : `, ${formatFigure(octets)} octets each`}`,
    )
  }
  printRatios(discipline, contestants, rates)
  return rates
}

async function measure(discipline: Discipline, contestant: Contestant, round: number): Promise<Measured> {
  const before = contestant.pid === undefined ? Number.NaN : processorSeconds(contestant.pid)
  const { count, seconds, clientLoad, octets = Number.NaN } = await discipline.run(contestant, round)
  const used = contestant.pid === undefined ? Number.NaN : processorSeconds(contestant.pid) - before
  return { perSecond: count / seconds, clientLoad, serverMicroseconds: (used * 1e6) / count, octetsEach: octets / count }
}

function printRatios({ bar }: Discipline, contestants: readonly Contestant[], rates: ReadonlyMap<string, number>): void {
  const [own, ...others] = contestants.map(({ name }) => name) as [string, ...string[]]
  for (const other of others) {
    const ratio = (rates.get(own) ?? 0) / (rates.get(other) ?? 1)
    const held = bar?.against === other ? ` (bar ${bar.least}: ${ratio >= bar.least ? 'HELD' : 'MISSED'})` : ''
    console.log(`  ${own} is ${ratio.toFixed(2)} × ${other}${held}`)
  }
}
