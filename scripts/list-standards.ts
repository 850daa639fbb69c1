// Writes docs/standards.md: for each RFC the files that cite it, found by the citations beside the code.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const cited = new Map<number, Map<string, Set<string>>>()
for (const pkg of readdirSync('packages')) collect(join('packages', pkg, 'src'))

const lines = [
  '# Standards',
  '',
  'Which RFC is cited where, and for which sections. Written by `pnpm standards` from the citations in the sources.',
  '',
]
for (const [number, files] of [...cited].sort(([a], [b]) => a - b)) {
  lines.push(`## RFC ${number}`, '')
  for (const [file, sections] of [...files].sort(([a], [b]) => a.localeCompare(b))) {
    const list = [...sections].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    lines.push(`* ${file}${list.length === 0 ? '' : `: ${list.map((section) => `§${section}`).join(', ')}`}`)
  }
  lines.push('')
}
writeFileSync('docs/standards.md', lines.join('\n'))

function collect(dir: string): void {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) collect(path)
    else if (name.endsWith('.ts')) read(path)
  }
}

function read(path: string): void {
  for (const match of readFileSync(path, 'utf8').matchAll(/RFC (\d{3,5})((?:,? (?:and )?§[\d.]*\d)*)/g)) {
    const files = cited.get(Number(match[1])) ?? new Map<string, Set<string>>()
    cited.set(Number(match[1]), files)
    const sections = files.get(path) ?? new Set<string>()
    files.set(path, sections)
    for (const section of (match[2] as string).matchAll(/§([\d.]*\d)/g)) sections.add(section[1] as string)
  }
}
