/** IMAP load from a process of its own, so that the client's work isn't measured as the server's. */
import { fork } from 'node:child_process'
import { once } from 'node:events'

export const USER = 'bench'
export const PASSWORD = 'bench-password'

/** What the load process does, once, and times; logging in and what comes before isn't timed. */
export type Job =
  /** Commands one after the other, in a mailbox opened before. */
  | { readonly kind: 'commands'; readonly port: number; readonly mailbox: string; readonly commands: readonly string[] }
  /** SELECT, each on a connection of its own. */
  | { readonly kind: 'select'; readonly port: number; readonly mailbox: string; readonly times: number }
  /** APPEND of the mails `first` to `first + count − 1`; each connection has up to `inFlight` under way. */
  | {
      readonly kind: 'append'
      readonly port: number
      readonly mailbox: string
      readonly first: number
      readonly count: number
      readonly connections: number
      readonly inFlight: number
    }

export interface JobDone {
  readonly seconds: number
  readonly octets: number
  readonly processorSeconds: number
}

export interface ImapLoad {
  run(job: Job): Promise<JobDone>
  stop(): void
}

export function startImapLoad(): ImapLoad {
  const child = fork(new URL('peers/imap-load-child.ts', import.meta.url).pathname, { execArgv: ['--import', 'tsx'] })
  return {
    async run(job) {
      const answered = once(child, 'message')
      child.send(job)
      const [answer] = (await answered) as [JobDone | { readonly failure: string }]
      if ('failure' in answer) throw new Error(`${job.kind} of ${job.mailbox}: ${answer.failure}`)
      return answer
    },
    stop: () => child.disconnect(),
  }
}
