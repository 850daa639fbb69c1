// Fails when an import goes up: between packages, between the rooms of a package, or to a module only some rooms may use.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'

/** Rooms of each package, top first: a room imports itself and those after it. A lone file is a room of its own name. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  core: ['config', 'delivery', 'analysis', 'directory', 'admission', 'provenance', 'sasl', 'store', 'reports', 'message', 'address', 'conversation', 'host', 'quantities.ts'],
  smtp: ['node', 'server', 'syntax'],
  imap: ['node', 'engine', 'commands', 'search', 'fetch', 'session', 'responses', 'syntax'],
  junk: ['filter', 'scoring', 'corpus', 'words'],
  runner: ['cli', 'testing', 'index.ts', 'setup', 'server', 'store', 'host'],
}

/** Rooms inside a room, top first. */
const INNER_ROOMS: Readonly<Record<string, readonly string[]>> = {
  'core/provenance': ['index.ts', 'arc', 'dmarc', 'dkim', 'spf', 'authentication-results.ts', 'block-list.ts', 'sender-domain.ts', 'reverse-name.ts', 'organizational-domain.ts', 'parsed-records.ts', 'signed-message.ts'],
  'smtp/server': ['index.ts', 'engine.ts', 'commands', 'extensions', 'session'],
}

/** Packages each package may import. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  core: [],
  smtp: ['core'],
  imap: ['core'],
  junk: ['core'],
  runner: ['core', 'smtp', 'imap', 'junk'],
}

const OF_NAME: Readonly<Record<string, string>> = {
  '@postern/core': 'core',
  '@postern/smtp': 'smtp',
  '@postern/imap': 'imap',
  '@postern/junk': 'junk',
  postern: 'runner',
}

/** Modules that open something, and where they may be imported. */
const GUARDED: readonly { readonly module: RegExp; readonly allowed: (file: string) => boolean; readonly rule: string }[] = [
  {
    module: /^node:(net|tls|http|https|http2|dns|dgram|fs|child_process|worker_threads)(\/|$)/,
    allowed: (file) => file.startsWith('runner/') || /^[^/]+\/src\/node\//.test(file),
    rule: 'sockets, files and threads belong to node/ and the runner',
  },
  { module: /^lmdb$/, allowed: (file) => file === 'runner/src/store/committer.ts', rule: 'one file knows lmdb' },
  { module: /^vitest$/, allowed: () => false, rule: 'sources do not depend on the test runner' },
]

const BAGS = /(^|\/)(utils?|helpers?|common|misc|shared|tools|lib|base|manager|types|constants)(\.ts)?(\/|$)/

const problems: string[] = []

for (const pkg of Object.keys(ROOMS)) {
  for (const file of sourceFiles(`packages/${pkg}/src`)) checkFile(pkg, file)
}

if (problems.length > 0) {
  console.error(problems.join('\n'))
  console.error(`${problems.length} imports or names break the layers`)
  process.exit(1)
}

function checkFile(pkg: string, path: string): void {
  const file = relative('packages', path).split(sep).join('/')
  const inside = relative(`packages/${pkg}/src`, path).split(sep).join('/')
  if (BAGS.test(inside)) problems.push(`${file}: the name says nothing; find the noun`)
  const room = roomOf(inside)
  if (room !== 'index.ts' && !(ROOMS[pkg] as readonly string[]).includes(room)) problems.push(`${file}: room ${room} is not in the plan of ${pkg}`)
  const text = readFileSync(path, 'utf8')
  if (/^export \* /m.test(text)) problems.push(`${file}: export * hides what is public`)
  for (const target of importsOf(text)) {
    for (const { module, allowed, rule } of GUARDED) {
      if (module.test(target) && !allowed(file)) problems.push(`${file}: imports ${target}; ${rule}`)
    }
    if (target.startsWith('.')) checkInside(pkg, file, inside, room, target)
    else checkAcross(pkg, file, target)
  }
}

function checkInside(pkg: string, file: string, inside: string, room: string, target: string): void {
  const to = normalize(join(dirname(inside), target)).split(sep).join('/')
  if (to.startsWith('..')) {
    problems.push(`${file}: imports ${target} outside its package's sources`)
    return
  }
  const toRoom = roomOf(to)
  if (toRoom !== room && !goesDown(ROOMS[pkg] as readonly string[], room, toRoom)) {
    problems.push(`${file}: imports ${target}; ${room} stands below ${toRoom}`)
  }
  const inner = INNER_ROOMS[`${pkg}/${room}`]
  if (inner === undefined || toRoom !== room) return
  const from = roomOf(inside.slice(room.length + 1))
  const innerTo = roomOf(to.slice(room.length + 1))
  if (from !== innerTo && !goesDown(inner, from, innerTo)) problems.push(`${file}: imports ${target}; ${from} stands below ${innerTo}`)
}

function checkAcross(pkg: string, file: string, target: string): void {
  const match = /^(@postern\/[a-z]+|postern)(?:\/(.+))?$/.exec(target)
  if (match === null) return
  const to = OF_NAME[match[1] as string]
  if (to === undefined || !(PACKAGES[pkg] as readonly string[]).includes(to)) problems.push(`${file}: imports ${target}; ${pkg} may not know it`)
  if (match[2] === 'conformance' && !file.startsWith('runner/src/testing/')) problems.push(`${file}: imports ${target}; conformance suites are for tests`)
}

function goesDown(rooms: readonly string[], from: string, to: string): boolean {
  const a = rooms.indexOf(from)
  const b = rooms.indexOf(to)
  return a >= 0 && b >= 0 && a < b
}

function roomOf(path: string): string {
  return path.split('/')[0] as string
}

function importsOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|\bimport\('([^']+)'\)|(?:^|\n)import\s+'([^']+)'/g), (match) =>
    (match[1] ?? match[2] ?? match[3]) as string,
  )
}

function sourceFiles(dir: string): readonly string[] {
  const files: string[] = []
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) files.push(...sourceFiles(path))
    else if (name.endsWith('.ts')) files.push(path)
  }
  return files
}
