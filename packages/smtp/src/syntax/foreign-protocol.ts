/** Signs that a peer talks something else than SMTP: waiting for it to make sense would be waiting for ever. Threat 20 */

/** Browsers are made to talk to mail servers: what follows such a line is not from a mail client. */
const HTTP_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE'])

/** @param verb in upper case */
export function isHttpMethod(verb: string): boolean {
  return HTTP_METHODS.has(verb)
}

/** What a command line, or an empty one, can begin with; a TLS hello, say, can't. */
export function isLineOctet(octet: number): boolean {
  return (octet >= 0x20 && octet < 0x7f) || octet === 0x0d || octet === 0x0a
}
