/** Collects what a peer says. */
import type { Duplex } from 'node:stream'

export class TextPeer {
  #text = ''
  #look: () => void = () => {}

  constructor(stream: Duplex) {
    stream.setEncoding('latin1')
    stream.on('data', (text: string) => {
      this.#text += text
      this.#look()
    })
  }

  /** Everything so far, once `pattern` is in it. */
  until(pattern: RegExp): Promise<string> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (pattern.test(this.#text)) resolve(this.#text)
      }
      this.#look()
    })
  }
}
