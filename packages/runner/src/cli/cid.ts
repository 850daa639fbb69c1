/** `postern cid`: the number of the connection that an id in a reply or a Received field stands for. */
import { Command } from 'commander'
import { readConnectionIds } from '../server/connection-ids.ts'

interface CidFlags {
  readonly dir: string
  readonly json?: true
}

export function cidCommand(): Command {
  // One id in 64 begins with a hyphen, and none of them is an option.
  return new Command('cid')
    .allowUnknownOption()
    .helpOption('--help', 'display help for command')
    .argument('<id>', '22 characters, as they stand in brackets behind a reply')
    .requiredOption('--dir <directory>', 'data directory of the server')
    .option('--json', 'tell in JSON')
    .action(runCid)
}

async function runCid(id: string, { dir, json }: CidFlags): Promise<void> {
  const ids = await readConnectionIds(dir)
  if (ids === undefined) throw new Error(`No server has run on ${dir}: there is no key of ids`)
  const number = ids.numberOf(id.replace(/^\((.*)\)$/, '$1'))
  if (number === undefined) throw new Error(`${JSON.stringify(id)} is no id of this server`)
  // Numbers begin with the time a server starts, so the connection is not older than its run, nor that run younger than this.
  const startedBy = new Date(number)
  const time = Number.isNaN(startedBy.getTime()) ? undefined : startedBy.toISOString()
  process.stdout.write(json === true ? `${JSON.stringify({ id, cid: String(number), startedBy: time })}\n` : `${number}\n${time === undefined ? '' : `in a run of the server that began by ${time}\n`}`)
}
