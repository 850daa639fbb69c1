export type { EnvelopeFields, MessageStructure, Part } from './structure.ts'
