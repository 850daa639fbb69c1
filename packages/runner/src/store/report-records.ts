/** Records beside the reports of the server space: when a known report's period ended, and how many there are. */
import { OctetReader } from './octet-reader.ts'
import { OctetWriter } from './octet-writer.ts'

const FORMAT = 1

/** Of one kind and domain. */
export interface ReportCount {
  readonly kept: number
  /** Rises with every addition, also one that another had to make room for. */
  readonly changes: number
}

export function encodeReportCount({ kept, changes }: ReportCount): Uint8Array {
  return new OctetWriter(16).uint(FORMAT, 1).uint(kept, 4).uint(changes, 6).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeReportCount(octets: Uint8Array): ReportCount {
  const reader = new OctetReader(octets, 'report count').format(FORMAT)
  const count = { kept: reader.uint(4), changes: reader.uint(6) }
  reader.end()
  return count
}

/** @param endSeconds since 1970, 0 to 2^40−1 */
export function encodeReportEnd(endSeconds: number): Uint8Array {
  return new OctetWriter(8).uint(FORMAT, 1).uint(endSeconds, 5).finish()
}

/** @throws StoreError STORE_CORRUPT */
export function decodeReportEnd(octets: Uint8Array): number {
  const reader = new OctetReader(octets, 'report end').format(FORMAT)
  const end = reader.uint(5)
  reader.end()
  return end
}
