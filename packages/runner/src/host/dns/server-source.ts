/** Where the settings come from: given once, or read from a file that others change while we run. */
import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '@postern/core/host'
import { parseResolvConf, type ServerSettings } from './resolv-conf.ts'

export interface ServerSource {
  /** The settings now; the same object as before while nothing changed. */
  current(): Promise<ServerSettings>
}

/** LIMIT: how often the file is looked at, at most. */
const LOOK_EVERY_MS = 5_000
/** LIMIT: more than any file of this kind has; a larger one counts as one that can't be read. */
const MAX_FILE_OCTETS = 65_536

/** Settings from the file at `path`, read again when it changed; one that can't be read changes nothing. */
export function createFileSource(path: string, clock: Clock): ServerSource {
  let settings = parseResolvConf('')
  let version: string | undefined
  let lookedAt = -Infinity
  let looking: Promise<void> | undefined

  /** The file may be missing, or be replaced at this moment: then the next look is soon. */
  async function look(): Promise<void> {
    const file = await stat(path).catch(() => undefined)
    const found = file === undefined ? version : `${file.mtimeMs} ${file.size} ${file.ino}`
    const isOther = file !== undefined && found !== version && file.size <= MAX_FILE_OCTETS
    const text = isOther ? await readFile(path, 'latin1').catch(() => undefined) : undefined
    if (text !== undefined) {
      settings = parseResolvConf(text)
      version = found
    }
    lookedAt = clock.monotonic()
    looking = undefined
  }

  return {
    async current() {
      if (clock.monotonic() - lookedAt >= LOOK_EVERY_MS) await (looking ??= look())
      return settings
    },
  }
}
