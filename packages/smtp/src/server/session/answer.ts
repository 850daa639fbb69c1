/** Going on with what a host answered, without making a promise where there was none. */
import type { Answer } from './backend.ts'

/** Calls `then` with the answer: now, when it is there, or when it comes. Faults pass through. */
export function whenAnswered<T, R>(answer: Answer<T>, then: (value: T) => Answer<R>): Answer<R> {
  return isPromise(answer) ? answer.then(then) : then(answer)
}

/** Hosts may answer with any thenable, not only with promises of this realm. */
export function isPromise<T>(answer: Answer<T>): answer is Promise<T> {
  return typeof (answer as Partial<Promise<T>> | null | undefined)?.then === 'function'
}
