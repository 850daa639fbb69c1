/** What a process and its descendants have used of the processors, as Linux counts it: in hundredths of a second. */
import { readFileSync, readdirSync } from 'node:fs'

const TICKS_PER_SECOND = 100

interface Times {
  readonly parent: number
  readonly ticks: number
}

/** Seconds of processor of the living tree under `root`, with what its dead children used. */
export function processorSeconds(root: number): number {
  const times = new Map<number, Times>()
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? timesOf(Number(name)) : undefined
    if (found !== undefined) times.set(Number(name), found)
  }
  let ticks = 0
  for (const [pid, found] of times) if (descends(pid, root, times)) ticks += found.ticks
  return ticks / TICKS_PER_SECOND
}

function descends(pid: number, root: number, times: ReadonlyMap<number, Times>): boolean {
  for (let at: number | undefined = pid; at !== undefined && at > 0; at = times.get(at)?.parent) if (at === root) return true
  return false
}

/** @returns undefined when the process has ended */
function timesOf(pid: number): Times | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The name before the last parenthesis may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [user, system, childrenUser, childrenSystem] = fields.slice(11, 15).map(Number) as [number, number, number, number]
  return { parent: Number(fields[1]), ticks: user + system + childrenUser + childrenSystem }
}
