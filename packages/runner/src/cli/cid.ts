/** `postern cid`: the number of the connection that an id in a reply or a Received field stands for. */
import { Command } from 'commander'
import { readConnectionIds } from '../server/connection-ids.ts'

interface CidFlags {
  readonly dir: string
  readonly json?: true
}

export function cidCommand(): Command {
  return new Command('cid')
    .description('tell which connection an id from a reply, a Received field or a log belongs to')
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
  process.stdout.write(json === true ? `${JSON.stringify({ id, cid: number })}\n` : `${number}\n`)
}
