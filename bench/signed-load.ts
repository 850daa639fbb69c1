/** SMTP load of signed mails from a process of its own, so that the client's work isn't measured as the server's. */
import { fork } from 'node:child_process'
import { once } from 'node:events'

export interface SignedJob {
  readonly port: number
  readonly messages: number
  readonly connections: number
}

export interface SignedJobDone {
  readonly seconds: number
  readonly processorSeconds: number
  /** Milliseconds from MAIL to the reply to the data, of each message. */
  readonly latencies: readonly number[]
}

export interface SignedLoad {
  run(job: SignedJob): Promise<SignedJobDone>
  stop(): void
}

/** @param keyFile PEM @param octets of each mail, about */
export function startSignedLoad(keyFile: string, octets: number): SignedLoad {
  const child = fork(new URL('peers/smtp-load-child.ts', import.meta.url).pathname, [keyFile, String(octets)], { execArgv: ['--import', 'tsx'] })
  return {
    async run(job) {
      const answered = once(child, 'message')
      child.send(job)
      const [answer] = (await answered) as [SignedJobDone | { readonly failure: string }]
      if ('failure' in answer) throw new Error(answer.failure)
      return answer
    },
    stop: () => child.disconnect(),
  }
}
