import { defineConfig } from 'vitest/config'

// Workspace packages resolve to their TypeScript sources: tests need no build.
const conditions = ['postern-source', 'node', 'import', 'module', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    environment: 'node',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: ['core', 'smtp', 'imap', 'junk', 'runner'].map((name) => ({
      extends: true as const,
      test: { name, root: `packages/${name}`, include: ['test/**/*.test.ts'] },
    })),
  },
})
