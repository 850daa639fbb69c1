/**
 * Batches waiting for a commit, and which of them the next one takes: partitions in turn, within the caps. Not here:
 * how they are committed.
 */
import type { Batch, BatchCost } from './ordered-store.ts'
import { keyText } from './sorted-map.ts'

/**
 * LIMIT: larger commits gave no throughput, stop the event loop longer and leave the free list in pieces: 10 ms of loop
 * delay at 32 to 64 batches, 22 ms at 256.
 */
export const GROUP = { batches: 32, puts: 512, octets: 1_048_576 } as const

/** A batch and who waits for it. */
export interface Waiting {
  readonly batch: Batch
  readonly cost: BatchCost
  readonly resolve: (outcome: 'committed' | 'conflict') => void
  readonly reject: (error: unknown) => void
}

export class GroupQueue {
  /** By partition; the one whose turn it is comes first. No queue in it is empty. */
  readonly #partitions = new Map<string, Waiting[]>()
  /** To be committed one by one, after a group of theirs failed. */
  readonly #alone: Waiting[] = []
  #count = 0
  #octets = 0

  get count(): number {
    return this.#count
  }

  get octets(): number {
    return this.#octets
  }

  add(waiting: Waiting): void {
    const partition = keyText(waiting.batch.partition)
    const queue = this.#partitions.get(partition)
    if (queue === undefined) this.#partitions.set(partition, [waiting])
    else queue.push(waiting)
    this.#count += 1
    this.#octets += waiting.cost.octets
  }

  /** Puts the batches of a failed group back, ahead of all others, each to be taken by itself. */
  addAlone(group: readonly Waiting[]): void {
    for (const waiting of group) {
      this.#alone.push(waiting)
      this.#count += 1
      this.#octets += waiting.cost.octets
    }
  }

  /** The next group; empty when nothing waits. Batches of one partition keep their order. */
  take(): Waiting[] {
    const alone = this.#alone.shift()
    const group = alone === undefined ? this.#takeInTurn() : [alone]
    for (const waiting of group) {
      this.#count -= 1
      this.#octets -= waiting.cost.octets
    }
    return group
  }

  #takeInTurn(): Waiting[] {
    const group: Waiting[] = []
    let puts = 0
    let octets = 0
    while (group.length < GROUP.batches) {
      const next = this.#partitions.entries().next()
      if (next.done === true) break
      const [partition, queue] = next.value
      const waiting = queue[0] as Waiting
      const { cost, batch } = waiting
      const fits = batch.large !== true && puts + cost.puts <= GROUP.puts && octets + cost.octets <= GROUP.octets
      if (group.length > 0 && !fits) break
      queue.shift()
      // Whoever was served goes to the end of the row.
      this.#partitions.delete(partition)
      if (queue.length > 0) this.#partitions.set(partition, queue)
      group.push(waiting)
      puts += cost.puts
      octets += cost.octets
      if (batch.large === true) break
    }
    return group
  }
}
