/** What `createMailServer` takes: one strict schema, composed of the fragments of the rooms built so far. */
import { z } from 'zod'
import { accountSchema, checkDirectory, domainSchema } from '../directory/index.ts'
import { listenerSchema } from './listeners.ts'
import { sizeSchema } from './quantities.ts'

/** Names that would reach an object's prototype are refused wherever a name is free (`__proto__` in parse-config.ts). */
const freeName = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !['prototype', 'constructor'].includes(name), { error: 'This name is not allowed' })

export const configSchema = z
  .strictObject({
    hostname: z.string().min(1).describe('Fully qualified name of this machine, as other servers see it'),
    dataDir: z.string().min(1).optional().describe('Directory of the store; needed unless a store is given in code'),
    diskReserve: sizeSchema().default(268_435_456).describe('Free space below which new mail is refused (452); reading and deleting go on'),
    listeners: z.record(freeName, listenerSchema).default({}).describe('By a name of your choice'),
    domains: z.record(freeName, domainSchema).default({}).describe('Domains mail is taken for, by name'),
    accounts: z.record(freeName, accountSchema).default({}).describe('Accounts by name'),
    postmaster: z.string().min(1).optional().describe('Account that gets mail for postmaster where no address says otherwise'),
  })
  .superRefine((config, context) => {
    for (const issue of checkDirectory(config)) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.text })
  })

/** Configuration with defaults filled in. */
export type Config = z.output<typeof configSchema>
/** Configuration as an embedder writes it. */
export type ConfigInput = z.input<typeof configSchema>
