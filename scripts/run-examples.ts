// Runs every example from the sources and fails when one fails, takes over a minute or is over 60 lines.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'

let failed = 0
for (const name of readdirSync('examples')) {
  const main = `examples/${name}/main.ts`
  if (!existsSync(main)) continue
  const lines = readFileSync(main, 'utf8').split('\n').length - 1
  const done = spawnSync('pnpm', ['exec', 'tsx', '--conditions=postern-source', main], { encoding: 'utf8', timeout: 60_000 })
  const good = done.status === 0 && lines <= 60
  if (!good) failed += 1
  console.log(`${good ? '✓' : '✗'} ${name} (${lines} lines, exit ${done.status ?? done.signal})`)
  if (!good) console.log(done.stdout + done.stderr)
}
process.exit(failed === 0 ? 0 : 1)
