/** The subcommands: names and summaries at hand, what they are made of loaded when one is asked for. */
import { Command } from 'commander'

interface Subcommand {
  readonly name: string
  readonly summary: string
  /** Makes the command: its arguments, its options, what it does. */
  readonly load: () => Promise<Command>
}

const SUBCOMMANDS: readonly Subcommand[] = [
  {
    name: 'localserve',
    summary: 'run a local mail server: every mail ends up in one account, nothing leaves the machine',
    load: async () => (await import('./localserve.ts')).localserveCommand(),
  },
  {
    name: 'junk',
    summary: 'learn from mail and tell junk from it, without an account; a file keeps the counts of words',
    load: async () => (await import('./junk.ts')).junkCommand(),
  },
  {
    name: 'retrain',
    summary: 'learn anew from all messages of an account that have exactly one of $Junk and $NotJunk',
    load: async () => (await import('./retrain.ts')).retrainCommand(),
  },
  {
    name: 'cid',
    summary: 'tell which connection an id from a reply, a Received field or a log belongs to',
    load: async () => (await import('./cid.ts')).cidCommand(),
  },
]

/** The program for an invocation: subcommands that it doesn't name have no more than their line in the help. @param words the command line without the program */
export async function createProgram(words: readonly string[]): Promise<Command> {
  const program = new Command('postern').description('A mail server').showHelpAfterError()
  for (const { name, summary, load } of SUBCOMMANDS) {
    program.addCommand((words.includes(name) ? await load() : new Command(name)).description(summary))
  }
  return program
}
