/** Where a Postern server listens, from the line it prints. */

/** @param line JSON of what `listen` resolved with @throws Error when nothing listens for the protocol */
export function portOf(line: string, protocol: 'smtp' | 'imap'): number {
  const endpoints = JSON.parse(line) as readonly { readonly protocol: string; readonly port: number }[]
  const port = endpoints.find((endpoint) => endpoint.protocol === protocol)?.port
  if (port === undefined) throw new Error(`Nothing listens for ${protocol}`)
  return port
}
