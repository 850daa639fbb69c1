/**
 * A structured logger, shaped like pino: fields first, then a fixed sentence. Values are data and are escaped by the
 * logger; nothing a peer sent belongs in the sentence.
 */
export interface Logger {
  /** Whether lines of a level are kept at all; without it they are taken to be. As pino and others name it. */
  isLevelEnabled?(level: 'debug' | 'info' | 'warn' | 'error'): boolean
  debug(fields: object, text?: string): void
  info(fields: object, text?: string): void
  warn(fields: object, text?: string): void
  error(fields: object, text?: string): void
  /** A logger that adds `fields` to every line. */
  child(fields: object): Logger
}

/** A logger that keeps nothing: for engines used without a host. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child() {
    return silentLogger
  },
  isLevelEnabled: () => false,
}
