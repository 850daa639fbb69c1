/** Debian's bogofilter with its own settings, in a directory of its own: one process for many messages, which it reads from files. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'

export const bogofilterVersion: string | undefined = /bogofilter version (\S+)/.exec(String(spawnSync('bogofilter', ['-V']).stdout))?.[1]

/** Learns messages. @param dir of its word list, made when absent @throws Error when it fails */
export function trainBogofilter(dir: string, verdict: 'ham' | 'spam', paths: readonly string[]): void {
  mkdirSync(dir, { recursive: true })
  run(dir, [verdict === 'ham' ? '-n' : '-s'], paths)
}

/** Classifies messages. @returns of each that it is spam, 0 to 1 @throws Error when it fails */
export function askBogofilter(dir: string, paths: readonly string[]): readonly number[] {
  const lines = run(dir, ['-t', '-v'], paths).trim().split('\n')
  if (lines.length !== paths.length) throw new Error(`bogofilter answered ${lines.length} of ${paths.length} messages`)
  return lines.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
}

function run(dir: string, options: readonly string[], paths: readonly string[]): string {
  const done = spawnSync('bogofilter', ['-d', dir, ...options, '-b'], { input: `${paths.join('\n')}\n`, maxBuffer: 64 * 1_048_576 })
  // 0 to 2 are verdicts.
  if (done.status === null || done.status > 2) throw new Error(`bogofilter failed: ${String(done.stderr)}`)
  return String(done.stdout)
}
