// Every gate, in the order in which a failure is cheapest to learn of. `pnpm ok` runs all, `pnpm ok types lint` some.
import { spawnSync } from 'node:child_process'

const gates: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'types', command: ['pnpm', 'types'] },
  { name: 'lint', command: ['pnpm', 'lint'] },
  { name: 'layers', command: ['pnpm', 'layers'] },
  { name: 'build', command: ['pnpm', 'build'] },
  { name: 'packed', command: ['pnpm', 'packed'] },
  { name: 'examples', command: ['pnpm', 'examples'] },
  { name: 'tests', command: ['pnpm', 'unit', '--reporter=default', '--reporter=json', '--outputFile.json=coverage/tests.json'] },
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !gates.some((gate) => gate.name === name))
if (unknown.length > 0) {
  console.error(`No gate is called ${unknown.join(', ')}; there are ${gates.map((gate) => gate.name).join(', ')}`)
  process.exit(2)
}

for (const { name, command } of gates) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const started = performance.now()
  const [program, ...args] = command as [string, ...string[]]
  // pnpm may have been fetched by npx: then it is on the PATH of this process, being started by it.
  const done = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  if (done.status !== 0) {
    console.error(`✗ ${name} (${seconds} s)`)
    process.exit(1)
  }
  console.log(`✓ ${name} (${seconds} s)`)
}
