/** Logging to a stream with pino: one JSON object a line, or nothing. What may stand in a line is log-fields.ts's. */
import type { Logger } from '@postern/core/host'
import { pino } from 'pino'
import { cleanFields, cleanSentence } from './log-fields.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** @param options.level lines below it are dropped  @param options.destination default: standard error, so that standard output stays a program's answer */
export function createLogger(options: { readonly level: LogLevel; readonly destination?: { write(line: string): void } }): Logger {
  // Errors come as plain objects already, so pino's own way of writing them has nothing to do.
  const settings = { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers: { err: (error: unknown) => error } }
  return guardLogger(adapt(pino(settings, options.destination ?? pino.destination({ fd: 2, sync: false }))))
}

function adapt(logger: pino.Logger): Logger {
  return {
    isLevelEnabled: (level) => logger.isLevelEnabled(level),
    debug: (fields, text) => logger.debug(fields, text),
    info: (fields, text) => logger.info(fields, text),
    warn: (fields, text) => logger.warn(fields, text),
    error: (fields, text) => logger.error(fields, text),
    child: (fields) => adapt(logger.child(fields)),
  }
}

const guarded = new WeakSet<Logger>()

/** The logger behind the one place every line passes; one that is behind it already is returned as it is. */
export function guardLogger(logger: Logger): Logger {
  if (guarded.has(logger)) return logger
  const guard = mapFields(logger, cleanFields, (text) => (text === undefined ? undefined : cleanSentence(text)))
  guarded.add(guard)
  return guard
}

/** A logger whose fields are made anew on the way, for lines that are kept at all. */
export function mapFields(logger: Logger, map: (fields: object) => object, mapText: (text: string | undefined) => string | undefined = (text) => text): Logger {
  const write = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, text?: string): void => {
    if (logger.isLevelEnabled?.(level) === false) return
    logger[level](map(fields), mapText(text))
  }
  return {
    isLevelEnabled: (level) => logger.isLevelEnabled?.(level) !== false,
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => mapFields(logger.child(map(fields)), map, mapText),
  }
}
