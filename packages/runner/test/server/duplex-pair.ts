/** Two streams, each of which reads what is written to the other. */
import { Duplex } from 'node:stream'

export function duplexPair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = []
  const make = (at: 0 | 1): Duplex => {
    const other = (): Duplex => ends[1 - at] as Duplex
    let resume: (() => void) | undefined
    const end = new Duplex({
      read() {
        const go = resume
        resume = undefined
        go?.()
      },
      write(octets: Buffer, _encoding, done) {
        const target = other() as Duplex & { whenRead?: (go: () => void) => void }
        if (target.destroyed || target.push(octets)) done()
        else target.whenRead?.(done)
      },
      final(done) {
        if (!other().destroyed) other().push(null)
        done()
      },
      destroy(error, done) {
        if (!other().readableEnded && !other().destroyed) other().push(null)
        done(error)
      },
    })
    return Object.assign(end, {
      whenRead(go: () => void) {
        resume = go
      },
    })
  }
  ends.push(make(0), make(1))
  return [ends[0] as Duplex, ends[1] as Duplex]
}
