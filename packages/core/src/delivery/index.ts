export type { Delivery } from './deliver.ts'
export type { ReceiveHost, Reception } from './receive.ts'
export { receive } from './receive.ts'
export { formatTraceFields } from './trace-fields.ts'
