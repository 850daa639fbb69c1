import { readdirSync, existsSync } from 'node:fs'
import type { Options } from 'tsup'

/** One entry per room: `src/<room>/index.ts` becomes `dist/<room>/index.js`, the subpath `exports` names. */
export function roomEntries(packageDir: string): Record<string, string> {
  const entries: Record<string, string> = {}
  for (const room of readdirSync(`${packageDir}/src`)) {
    if (existsSync(`${packageDir}/src/${room}/index.ts`)) entries[`${room}/index`] = `src/${room}/index.ts`
  }
  if (existsSync(`${packageDir}/src/index.ts`)) entries['index'] = 'src/index.ts'
  if (existsSync(`${packageDir}/conformance/index.ts`)) entries['conformance/index'] = 'conformance/index.ts'
  return entries
}

export const base: Options = {
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  // tsup sets baseUrl itself, which TypeScript 6 deprecates; our own sources set nothing deprecated.
  dts: { compilerOptions: { ignoreDeprecations: '6.0' } },
  sourcemap: true,
  clean: true,
  treeshake: false,
  splitting: true,
  outDir: 'dist',
}
