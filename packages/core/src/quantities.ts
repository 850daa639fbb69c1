/** Quantities as people write them: durations "10m", sizes "25MiB". Ours; sizes are binary, as mail servers count. */
import { z } from 'zod'

const DURATION_UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ['B', 1],
  ['KiB', 1_024],
  ['MiB', 1_048_576],
  ['GiB', 1_073_741_824],
  ['TiB', 1_099_511_627_776],
])

/** @returns milliseconds, or undefined when `text` is not a duration such as "1h30m", "250ms" */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_UNITS)
}

/** @returns octets, or undefined when `text` is not a size such as "25MiB", "1GiB512MiB" */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, SIZE_UNITS)
}

/** Shortest exact form, largest unit first: 5,400,000 → "1h30m". @param ms whole, ≥ 0 */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, DURATION_UNITS, 'ms')
}

/** Shortest exact form, largest unit first: 26,214,400 → "25MiB". @param octets whole, ≥ 0 */
export function formatSize(octets: number): string {
  return formatQuantity(octets, SIZE_UNITS, 'B')
}

/** A duration in configuration: "10m", or milliseconds as a number. Gives milliseconds. */
export function durationSchema(bounds: { readonly min?: number; readonly max?: number } = {}): z.ZodType<number, string | number> {
  return quantitySchema(parseDuration, formatDuration, 'a duration such as "10m" or "1h30m"', bounds)
}

/** A size in configuration: "25MiB", or octets as a number. Gives octets. */
export function sizeSchema(bounds: { readonly min?: number; readonly max?: number } = {}): z.ZodType<number, string | number> {
  return quantitySchema(parseSize, formatSize, 'a size such as "25MiB"', bounds)
}

function quantitySchema(
  parse: (text: string) => number | undefined,
  format: (value: number) => string,
  what: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number },
): z.ZodType<number, string | number> {
  return z.union([z.string(), z.number()], { error: `Expected ${what}` }).transform((given, context) => {
    const value = typeof given === 'number' ? given : parse(given)
    if (value === undefined || !Number.isSafeInteger(value) || value < 0) {
      context.addIssue({ code: 'custom', message: `Expected ${what}` })
      return z.NEVER
    }
    if (value < min) context.addIssue({ code: 'custom', message: `Must be at least ${format(min)}` })
    if (value > max) context.addIssue({ code: 'custom', message: `Must be at most ${format(max)}` })
    return value
  })
}

function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  if (text.length > 64 || !/^(?:\d{1,15}[A-Za-z]{1,3})+$/.test(text)) return undefined
  let total = 0
  let last = Number.POSITIVE_INFINITY
  for (const [, digits, unit] of text.matchAll(/(\d+)([A-Za-z]+)/g)) {
    const factor = units.get(unit as string)
    if (factor === undefined || factor >= last) return undefined
    last = factor
    total += Number(digits) * factor
  }
  return Number.isSafeInteger(total) ? total : undefined
}

function formatQuantity(value: number, units: ReadonlyMap<string, number>, smallest: string): string {
  if (value === 0) return `0${smallest}`
  let rest = value
  let text = ''
  for (const [unit, factor] of [...units].sort((a, b) => b[1] - a[1])) {
    const count = Math.floor(rest / factor)
    if (count === 0) continue
    text += `${count}${unit}`
    rest -= count * factor
  }
  return text
}
