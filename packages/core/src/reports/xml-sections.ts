/**
 * Reads an XML document that comes in pieces as the children of one element, one after the other, each as a small tree.
 * No DTD: a document type is refused, so there are no entities but the five of XML itself, and nothing is ever fetched.
 * Not here: encodings (xml-text.ts) and what elements mean (read-dmarc-report.ts).
 */
import { SaxesParser } from 'saxes'
import { ReportSyntaxError } from './report-syntax-error.ts'

/** An element of a section, attributes left out. */
export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  /** Of the element itself, not of those in it; cut. */
  readonly text: string
  readonly children: readonly XmlElement[]
}

/** Counts elements and characters that were read. */
export interface XmlWork {
  elements: number
  characters: number
}

/** LIMIT: the deepest element of a report is the sixth. */
const MAX_DEPTH = 32
/** LIMIT: a report of 20 MiB has some 600,000 at the most usual writing. */
const MAX_ELEMENTS = 1_000_000
/** LIMIT: 100 signatures are 500 elements. RFC 9990 §3.1.3 */
const MAX_SECTION_ELEMENTS = 5000
/** LIMIT: attributes of one element; reports have two or three, for namespaces. */
const MAX_ATTRIBUTES = 64
/** LIMIT: characters of one element that are kept. */
const MAX_TEXT = 4096
/** LIMIT: characters that are one text, tag or comment: they are held until they end. */
const MAX_TOKEN = 1_048_576

interface OpenElement {
  readonly name: string
  text: string
  readonly children: OpenElement[]
}

export class XmlSections {
  readonly #parser = new SaxesParser({ position: false })
  readonly #root: string
  readonly #onSection: (section: XmlElement) => void
  readonly #work: XmlWork
  /** Elements around the current one, the document's first among them. */
  #depth = 0
  /** Depth of the root element: 0, or 1 within a wrapper. */
  #rootDepth: number | undefined
  #prefix = ''
  /** Depth of an element that is passed over with all in it. */
  #skippedFrom: number | undefined
  readonly #open: OpenElement[] = []
  #sectionElements = 0
  #attributes = 0
  #sinceToken = 0
  #isDone = false

  /** @param root name of the element whose children are given to `onSection` when they end */
  constructor(root: string, onSection: (section: XmlElement) => void, work: XmlWork) {
    this.#root = root
    this.#onSection = onSection
    this.#work = work
    const parser = this.#parser
    parser.on('error', () => this.#fail('REPORT_SYNTAX', 'Expected well-formed XML'))
    parser.on('doctype', () => this.#fail('REPORT_DOCTYPE', 'Expected XML without a document type'))
    parser.on('attribute', () => this.#attribute())
    parser.on('opentag', (tag) => this.#start(tag))
    parser.on('closetag', () => this.#end())
    parser.on('text', (text) => this.#text(text))
    parser.on('cdata', (text) => this.#text(text))
    parser.on('comment', () => this.#token())
  }

  /** @throws ReportSyntaxError; nothing may be pushed after that */
  push(text: string): void {
    // QUIRK(ikea.com): what follows the root is not read; some wrap it in an element that is never closed.
    if (this.#isDone) return
    this.#work.characters += text.length
    this.#sinceToken += text.length
    this.#parser.write(text)
    if (this.#sinceToken > MAX_TOKEN) this.#fail('REPORT_COMPLEX', `Expected texts of at most ${MAX_TOKEN} characters`)
  }

  /** Nothing follows. @throws ReportSyntaxError */
  end(): void {
    if (this.#isDone) return
    if (this.#rootDepth === undefined) this.#parser.close()
    this.#fail(
      this.#rootDepth === undefined ? 'REPORT_KIND' : 'REPORT_SYNTAX',
      `Expected ${this.#rootDepth === undefined ? 'element' : 'end of'} ${this.#root}`,
    )
  }

  #attribute(): void {
    this.#attributes += 1
    if (this.#attributes > MAX_ATTRIBUTES) this.#fail('REPORT_COMPLEX', `Expected at most ${MAX_ATTRIBUTES} attributes`)
  }

  #start(tag: { readonly name: string }): void {
    if (this.#isDone) return
    this.#attributes = 0
    this.#token()
    this.#work.elements += 1
    if (this.#work.elements > MAX_ELEMENTS) this.#fail('REPORT_COMPLEX', `Expected at most ${MAX_ELEMENTS} elements`)
    const depth = this.#depth
    this.#depth += 1
    if (depth >= MAX_DEPTH) this.#fail('REPORT_COMPLEX', `Expected elements at most ${MAX_DEPTH} deep`)
    if (this.#skippedFrom !== undefined) return
    const colon = tag.name.lastIndexOf(':')
    const name = tag.name.slice(colon + 1)
    const prefix = tag.name.slice(0, colon + 1)
    if (this.#rootDepth === undefined) {
      // QUIRK(ikea.com): `xs:schema` around it.
      if (name !== this.#root && depth === 0) return
      if (name !== this.#root) this.#fail('REPORT_KIND', `Expected element ${this.#root}`)
      this.#rootDepth = depth
      this.#prefix = prefix
    } else if (prefix !== this.#prefix) {
      // An extension's. RFC 9990 §5
      this.#skippedFrom = depth
    } else {
      this.#sectionElements = this.#open.length === 0 ? 1 : this.#sectionElements + 1
      if (this.#sectionElements > MAX_SECTION_ELEMENTS) {
        this.#fail('REPORT_COMPLEX', `Expected at most ${MAX_SECTION_ELEMENTS} elements in each of ${this.#root}`)
      }
      this.#open.push({ name, text: '', children: [] })
    }
  }

  #end(): void {
    if (this.#isDone) return
    this.#token()
    this.#depth -= 1
    if (this.#skippedFrom !== undefined) {
      if (this.#depth === this.#skippedFrom) this.#skippedFrom = undefined
      return
    }
    if (this.#depth === this.#rootDepth) {
      this.#isDone = true
      return
    }
    const closed = this.#open.pop()
    if (closed === undefined) return
    const parent = this.#open.at(-1)
    if (parent === undefined) this.#onSection(closed)
    else parent.children.push(closed)
  }

  #text(text: string): void {
    this.#token()
    if (this.#skippedFrom !== undefined) return
    const element = this.#open.at(-1)
    if (element === undefined || element.text.length >= MAX_TEXT) return
    element.text = (element.text + text.slice(0, MAX_TEXT)).slice(0, MAX_TEXT)
  }

  #token(): void {
    this.#sinceToken = 0
  }

  #fail(code: 'REPORT_SYNTAX' | 'REPORT_DOCTYPE' | 'REPORT_COMPLEX' | 'REPORT_KIND', message: string): void {
    // What follows the root may be anything.
    if (!this.#isDone) throw new ReportSyntaxError(code, message)
  }
}
