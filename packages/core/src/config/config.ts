/** What `createMailServer` takes: one strict schema, composed of the fragments of the rooms built so far. */
import { z } from 'zod'
import { checkDirectory, directoryShape } from '../directory/index.ts'
import { listenerSchema } from './listeners.ts'
import { sizeSchema } from '../quantities.ts'

export const configSchema = z
  .strictObject({
    hostname: z.string().min(1).describe('Fully qualified name of this machine, as other servers see it'),
    dataDir: z.string().min(1).optional().describe('Directory of the store; needed unless a store is given in code'),
    diskReserve: sizeSchema().default(268_435_456).describe('Free space below which new mail is refused (452); reading and deleting go on'),
    pedantic: z
      .boolean()
      .default(false)
      .describe('Hold clients to the letter of the standards, such as 64 octets of a localpart and no space after FROM: — for development'),
    checkSenders: z
      .boolean()
      .default(true)
      .describe('Look into who sends a message: SPF, DKIM, DMARC, what is known of the sender. false takes mail from anybody, for development and behind a server that looks already'),
    junkBaseline: z.string().min(1).optional().describe('File of word counts that the filter of content of every account begins with, as `postern junk train --out` writes it'),
    listeners: z.record(z.string().min(1).max(255), listenerSchema).default({}).describe('By a name of your choice'),
    ...directoryShape,
  })
  .superRefine((config, context) => {
    for (const issue of checkDirectory(config)) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.text })
  })

/** Configuration with defaults filled in. */
export type Config = z.output<typeof configSchema>
/** Configuration as an embedder writes it. */
export type ConfigInput = z.input<typeof configSchema>
