import { readFileSync } from 'node:fs'
import type { Options } from 'tsup'

/** One entry for each subpath that `exports` names: `./src/<room>/index.ts` becomes `dist/<room>/index.js`. */
export function publicEntries(packageDir: string): Record<string, string> {
  const { exports } = JSON.parse(readFileSync(`${packageDir}/package.json`, 'utf8')) as {
    readonly exports: Readonly<Record<string, { readonly 'postern-source': string }>>
  }
  return Object.fromEntries(
    Object.values(exports).map(({ 'postern-source': source }) => [source.replace(/^\.\/(src\/)?/, '').replace(/\.ts$/, ''), source]),
  )
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
