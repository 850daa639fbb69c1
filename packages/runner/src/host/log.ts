/** Logging to a stream with pino: one JSON object a line, or nothing. */
import type { Logger } from '@postern/core/host'
import { pino } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** @param options.level lines below it are dropped  @param options.destination default: standard error, so that standard output stays a program's answer */
export function createLogger(options: { readonly level: LogLevel; readonly destination?: { write(line: string): void } }): Logger {
  const logger = pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, options.destination ?? pino.destination({ fd: 2, sync: false }))
  return adapt(logger)
}

function adapt(logger: pino.Logger): Logger {
  return {
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    child: (fields) => adapt(logger.child(fields)),
  }
}
