// Does IMAP jobs sent by its parent and answers with what they took. Ends when its parent hangs up.
import { ImapClient } from '../imap-client.ts'
import { PASSWORD, USER, type Job, type JobDone } from '../imap-load.ts'
import { createMails } from '../mails.ts'

const mailOf = createMails()

process.on('message', (job: Job) => void answer(job))

async function answer(job: Job): Promise<void> {
  try {
    process.send?.(await perform(job))
  } catch (error) {
    process.send?.({ failure: String(error) })
  }
}

async function perform(job: Job): Promise<JobDone> {
  switch (job.kind) {
    case 'commands':
      return await performCommands(job)
    case 'select':
      return await performSelects(job)
    case 'append':
      return await performAppends(job)
  }
}

async function performCommands({ port, mailbox, commands }: Extract<Job, { kind: 'commands' }>): Promise<JobDone> {
  const client = await ImapClient.login(port, USER, PASSWORD)
  await client.command(`SELECT ${mailbox}`)
  const done = await timed(async () => {
    let octets = 0
    for (const command of commands) octets += await client.command(command)
    return octets
  })
  client.close()
  return done
}

async function performSelects({ port, mailbox, times }: Extract<Job, { kind: 'select' }>): Promise<JobDone> {
  const clients: ImapClient[] = []
  for (let n = 0; n < times; n += 1) clients.push(await ImapClient.login(port, USER, PASSWORD))
  const done = await timed(async () => {
    let octets = 0
    for (const client of clients) octets += await client.command(`SELECT ${mailbox}`)
    return octets
  })
  for (const client of clients) client.close()
  return done
}

async function performAppends(job: Extract<Job, { kind: 'append' }>): Promise<JobDone> {
  const { port, mailbox, connections, inFlight } = job
  const clients: ImapClient[] = []
  for (let n = 0; n < connections; n += 1) clients.push(await ImapClient.login(port, USER, PASSWORD))
  // It may be there already.
  await clients[0]?.command(`CREATE ${mailbox}`).catch(() => undefined)
  let next = job.first
  const end = job.first + job.count
  const done = await timed(async () => {
    await Promise.all(
      clients.map(async (client) => {
        const sent: string[] = []
        for (;;) {
          while (sent.length < inFlight && next < end) {
            const mail = mailOf(next)
            next += 1
            sent.push(client.send(`APPEND ${mailbox} {${mail.length}+}\r\n${mail}`))
          }
          const tag = sent.shift()
          if (tag === undefined) return
          await client.done(tag)
        }
      }),
    )
    return 0
  })
  for (const client of clients) client.close()
  return done
}

async function timed(run: () => Promise<number>): Promise<JobDone> {
  const before = process.cpuUsage()
  const started = performance.now()
  const octets = await run()
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(before)
  return { seconds, octets, processorSeconds: (user + system) / 1e6 }
}
