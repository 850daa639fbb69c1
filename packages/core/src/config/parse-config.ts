/** Unknown value in, configuration or everything that is wrong with it out. */
import type { z } from 'zod'
import { configSchema, type Config } from './config.ts'
import { nearestName } from './nearest-name.ts'

/** One thing wrong with a configuration. */
export interface ConfigIssue {
  readonly severity: 'error' | 'warning'
  /** Keys and indexes from the top. */
  readonly path: readonly (string | number)[]
  /** Stable: `unknown-key`, `missing`, `invalid`. */
  readonly code: 'unknown-key' | 'missing' | 'invalid'
  readonly text: string
}

/** Thrown by `createMailServer` with every issue, not the first. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'CONFIG_INVALID'
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[]) {
    super(issues.map(formatConfigIssue).join('\n'))
    this.issues = issues
  }
}

/** `path: text`, one line. */
export function formatConfigIssue(issue: ConfigIssue): string {
  const path = issue.path.map((key, at) => (typeof key === 'number' ? `[${key}]` : at === 0 ? key : `.${key}`)).join('')
  return path === '' ? issue.text : `${path}: ${issue.text}`
}

/** Checks a configuration. `config` is there when no issue is an error. @throws never */
export function parseConfig(input: unknown): { readonly config?: Config; readonly issues: readonly ConfigIssue[] } {
  const forbidden = findPrototypeKeys(input)
  const parsed = configSchema.safeParse(input, { reportInput: true })
  if (parsed.success && forbidden.length === 0) return { config: parsed.data, issues: [] }
  return { issues: [...forbidden, ...(parsed.error?.issues.flatMap(issuesOf) ?? [])] }
}

/** Own keys named `__proto__`, which the schema would pass over in silence. */
function findPrototypeKeys(input: unknown): readonly ConfigIssue[] {
  const issues: ConfigIssue[] = []
  const seen = new Set<unknown>()
  const open: { readonly value: unknown; readonly path: readonly (string | number)[] }[] = [{ value: input, path: [] }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next
    if (typeof value !== 'object' || value === null || seen.has(value)) continue
    seen.add(value)
    for (const key of Object.keys(value)) {
      const inner = [...path, Array.isArray(value) ? Number(key) : key]
      if (key === '__proto__') issues.push({ severity: 'error', path: inner, code: 'invalid', text: 'This name is not allowed' })
      else open.push({ value: (value as Readonly<Record<string, unknown>>)[key], path: inner })
    }
  }
  return issues
}

function issuesOf(issue: z.core.$ZodIssue): readonly ConfigIssue[] {
  const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeysAt(path)
    return issue.keys.map((key) => {
      const nearest = nearestName(key, known)
      const text = nearest === undefined ? `Unknown key; known here: ${known.join(', ')}` : `Unknown key; did you mean ${nearest}`
      return { severity: 'error', path: [...path, key], code: 'unknown-key', text }
    })
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) {
    return [{ severity: 'error', path, code: 'missing', text: `Is missing (${issue.expected})` }]
  }
  return [{ severity: 'error', path, code: 'invalid', text: issue.message.replace(/^Invalid input: e/, 'E') }]
}

/** Keys the schema knows at a path: objects by key, records by any key, arrays by element. */
function knownKeysAt(path: readonly (string | number)[]): readonly string[] {
  let schema: SchemaNode | undefined = configSchema as unknown as SchemaNode
  for (const key of path) {
    schema = unwrap(schema)
    schema = schema?.def.shape?.[String(key)] ?? schema?.def.valueType ?? schema?.def.element
  }
  return Object.keys(unwrap(schema)?.def.shape ?? {})
}

/** The part of a zod schema that tells its structure. */
interface SchemaNode {
  readonly def: {
    readonly shape?: Readonly<Record<string, SchemaNode>>
    readonly valueType?: SchemaNode
    readonly element?: SchemaNode
    readonly innerType?: SchemaNode
    readonly in?: SchemaNode
  }
}

function unwrap(schema: SchemaNode | undefined): SchemaNode | undefined {
  let inner = schema
  while (inner?.def.innerType !== undefined || inner?.def.in !== undefined) inner = inner.def.innerType ?? inner.def.in
  return inner
}
