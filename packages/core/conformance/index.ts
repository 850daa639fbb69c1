export type { TranscriptCase, TranscriptEngine, TranscriptHarness } from './transcript.ts'
export { transcriptCases } from './transcript.ts'
