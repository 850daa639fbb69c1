import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createCommandFrames, type CommandFrame, type CommandLimits } from '../../src/syntax/frames.ts'
import { cutInto } from '../run-conversation.ts'

const LIMITS: CommandLimits = { lineOctets: 100, literals: 3, literalOctets: 50, discardOctets: 60 }

/** What to do with each literal, in turn; `take` when they run out. */
type Plan = readonly ('take' | 'sink' | 'refuse' | 'fail')[]

/** Reads everything, literals by plan, and shows it as text. */
async function framesOf(octets: Uint8Array, lengths: readonly number[], plan: Plan = []): Promise<{ shown: readonly string[]; sunk: string }> {
  const frames = createCommandFrames(LIMITS)
  const shown: string[] = []
  let sunk = ''
  let asked = 0
  const show = (frame: CommandFrame): string => {
    switch (frame.kind) {
      case 'command':
        return frame.text.texts
          .map((text, n) => {
            const literal = frame.text.literals[n]
            const after = literal === undefined ? '' : literal.kind === 'memory' ? `<${latin1(literal.octets)}>` : `<${literal.kind}>`
            return latin1(text) + after
          })
          .join('')
      case 'literal':
        return `? ${frame.literal.sizeOctets}${frame.literal.synchronizing ? '' : '+'}${frame.literal.binary ? '~' : ''}`
      case 'refused':
        return frame.inStep ? 'refused' : 'refused, out of step'
      case 'line':
        return `line ${latin1(frame.octets)}`
      default:
        return frame.kind
    }
  }
  const drain = async (): Promise<boolean> => {
    for (;;) {
      const frame = frames.next()
      if (frame === undefined) {
        if (!frames.waiting) return true
        await new Promise((resolve) => {
          setImmediate(resolve)
        })
        continue
      }
      shown.push(show(frame))
      if (frame.kind === 'too-long' || (frame.kind === 'refused' && !frame.inStep)) return false
      if (frame.kind !== 'literal') continue
      const what = plan[asked] ?? 'take'
      asked += 1
      if (what === 'take' && !frames.take()) frames.refuse()
      if (what === 'refuse') frames.refuse()
      if (what === 'sink' || what === 'fail') {
        frames.sink({
          write(octets) {
            if (what === 'fail') throw new Error('full')
            sunk += latin1(octets)
          },
          end: async () => sunk,
          abort() {},
        })
      }
    }
  }
  for (const piece of cutInto(octets, lengths)) {
    frames.push(piece.slice())
    if (!(await drain())) break
  }
  return { shown, sunk }
}

const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1')

describe('command frames', () => {
  const ROWS: readonly (readonly [octets: string, shown: readonly string[], plan?: Plan])[] = [
    ['a NOOP\r\nb NOOP\r\n', ['a NOOP', 'b NOOP']],
    ['\r\n', ['']],
    ['a\rb\r\n', ['a\rb']],
    ['a {3}\r\nx\r\n y\r\n', ['? 3', 'a <x\r\n> y']],
    ['a {2+}\r\nxy {0+}\r\n\r\n', ['? 2+', '? 0+', 'a <xy> <>']],
    ['a ~{2+}\r\nx\0\r\n', ['? 2+~', 'a <x\0>']],
    ['a {2+}\r\nxy\r\nb\r\n', ['? 2+', 'a <sunk>', 'b'], ['sink']],
    // trap 20
    ['a {9+}\r\nb LOGOUT\n tail\r\nc\r\n', ['? 9+', 'refused', 'c'], ['refuse']],
    ['a {9+}\r\nb LOGOUT\n {2+}\r\nxy {3}\r\nc\r\n', ['? 9+', 'refused', 'c'], ['refuse']],
    ['a {9}\r\nc\r\n', ['? 9', 'refused', 'c'], ['refuse']],
    ['a {2+}\r\nxy {9}\r\nc\r\n', ['? 2+', '? 9', 'refused', 'c'], ['take', 'refuse']],
    ['a {4+}\r\nb\r\nx tail {2+}\r\nyz end\r\nc\r\n', ['? 4+', 'sink-failed', 'refused', 'c'], ['fail']],
    // limits
    [`a {51}\r\nb\r\n`, ['? 51', 'refused', 'b']],
    [`a {30+}\r\n${'x'.repeat(30)} {21}\r\nb\r\n`, ['? 30+', '? 21', 'refused', 'b']],
    ['a {0+}\r\n{0+}\r\n{0+}\r\n{0+}\r\n\r\nb\r\n', ['? 0+', '? 0+', '? 0+', '? 0+', 'refused', 'b']],
    [`a {61+}\r\n${'x'.repeat(61)}\r\nb\r\n`, ['? 61+', 'refused, out of step']],
    [`a {40+}\r\n${'x'.repeat(40)}{21+}\r\n`, ['? 40+', 'refused, out of step'], ['refuse']],
    ['a {99999999999999999999}\r\nb\r\n', ['? 100000000000000000000', 'refused', 'b']],
    [`${'x'.repeat(100)}\r\n`, ['x'.repeat(100)]],
    ['x'.repeat(102), ['too-long']],
    [`${'x'.repeat(50)}{0+}\r\n${'y'.repeat(60)}`, ['? 0+', 'too-long']],
    // no announcements
    ['a {x}\r\nb {1} \r\nc {}\r\nd {1++}\r\n', ['a {x}', 'b {1} ', 'c {}', 'd {1++}']],
  ]
  test.each(ROWS.map(([octets, shown, plan = []]) => ({ octets, shown, plan })))('$octets', async ({ octets, shown, plan }) => {
    for (const length of [octets.length, 1, 3]) {
      expect((await framesOf(Buffer.from(octets, 'latin1'), [length], plan)).shown).toEqual(shown)
    }
  })

  test('cuts do not matter', async () => {
    const words = ['a ', ' b', '\r\n', '\r\n', '\n', '{3+}\r\n', '{0}\r\n', '{20+}\r\n', '~{5}\r\n', '{61+}\r\n', 'text', '"', '\0']
    const input = fc.array(fc.constantFrom(...words), { maxLength: 30 }).map((parts) => Buffer.from(parts.join('')))
    const plans = fc.array(fc.constantFrom('take', 'sink', 'refuse', 'fail'), { maxLength: 5 }) as fc.Arbitrary<Plan>
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(input, plans, cuts, async (octets, plan, lengths) => {
        expect(await framesOf(octets, lengths, plan)).toEqual(await framesOf(octets, [octets.length], plan))
      }),
      { numRuns: 500 },
    )
  })

  test('a line asked for is a line, whatever it looks like, and may be longer', async () => {
    const frames = createCommandFrames(LIMITS)
    frames.expectLine(200)
    frames.push(Buffer.from(`${'x'.repeat(197)}{3}\r\na NOOP\r\n`))
    expect(frames.next()).toMatchObject({ kind: 'line' })
    expect(frames.next()).toMatchObject({ kind: 'command' })
  })

  test('a literal takes memory as its octets come', () => {
    const frames = createCommandFrames({ ...LIMITS, literalOctets: 1_000_000 })
    frames.push(Buffer.from('a {1000000+}\r\nx'))
    expect(frames.next()).toMatchObject({ kind: 'literal' })
    expect(frames.take()).toBe(true)
    expect(frames.next()).toBeUndefined()
    expect(frames.buffered).toBeLessThan(100)
  })
})
