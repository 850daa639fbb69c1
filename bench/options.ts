/** Reads `--name value` pairs. @throws Error on a name that isn't known or a value that is no number */
export function numberOptions<N extends string>(args: readonly string[], defaults: Readonly<Record<N, number>>): Record<N, number> {
  const options: Record<string, number> = { ...defaults }
  for (let at = 0; at < args.length; at += 2) {
    const name = (args[at] as string).replace(/^--/, '')
    const value = Number(args[at + 1])
    if (!Object.hasOwn(defaults, name) || !Number.isFinite(value)) {
      throw new Error(`Unknown option ${args[at]}; known: ${Object.entries(defaults).map(([key, number]) => `--${key} ${number as number}`).join(' ')}`)
    }
    options[name] = value
  }
  return options as Record<N, number>
}
