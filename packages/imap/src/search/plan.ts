/**
 * A search made ready for one mailbox: keys as tests that tell, from what is known of a message so far, whether it
 * matches.
 * Not here: finding out more (`match.ts`).
 */
import { foldKeyword, keywordPlaces, type MessageRow, type UidRange, type UidRanges } from '@postern/core/store'
import { dayOfInternalDate, type Day } from '../syntax/date-time.ts'
import type { SequenceSet } from '../syntax/sequence-set.ts'
import { holdsUid, intersectUids } from '../syntax/uid-ranges.ts'
import type { SearchKey } from './criteria.ts'
import { foldCase } from './fold.ts'
import { HeaderFactsReader, isListedField, type HeaderFacts } from './header-facts.ts'
import { createTextFinder, type TextFinder } from './text-finder.ts'

/** What is known of a message. Each member costs more than the one before. */
export interface Known {
  readonly uid: number
  readonly row?: MessageRow | undefined
  /** From a complete list record: of listed fields. */
  readonly listed?: HeaderFacts | undefined
  /** From the header itself: of all fields. */
  readonly header?: HeaderFacts | undefined
  /** The finders have seen the whole message. */
  readonly scanned?: boolean
}

/** Whether a message matches; undefined while too little is known. */
export type Test = (known: Known) => boolean | undefined

/** A text looked for in bodies, or in headers and bodies. */
export interface TextSearch {
  readonly of: 'body' | 'text'
  readonly finder: TextFinder
}

/** A search of one mailbox. */
export interface Plan {
  /** Messages that may match. */
  readonly candidates: UidRanges
  readonly test: Test
  /** What some test has to be told before it can decide. */
  readonly asks: {
    /** Nothing but the UID. */
    readonly numbers: boolean
    readonly rows: boolean
    /** Fields that list records have. */
    readonly listed: boolean
    /** The header itself. */
    readonly headers: boolean
    readonly texts: boolean
  }
  readonly texts: readonly TextSearch[]
  readonly facts: HeaderFactsReader
  /** Tests, as a measure of what one message costs. */
  readonly size: number
}

/** What a plan is made for. */
export interface SearchedMailbox {
  readonly all: UidRanges
  /** Keyword names of the mailbox. */
  readonly keywords: readonly string[]
  /** UIDs recent to the session. */
  readonly recent: UidRange | undefined
  /** @throws WireSyntaxError when a sequence number is beyond the mailbox */
  resolve(set: SequenceSet, uid: boolean): UidRanges
}

/** Keys nest at most 100 deep, so the recursion is bounded. */
export function planSearch(key: SearchKey, mailbox: SearchedMailbox): Plan {
  return new Planner(mailbox).plan(key)
}

/** Where a test finds its answer; tests are asked in this order. */
const COST = { none: 0, row: 1, listed: 2, header: 3, text: 4 } as const
type Cost = (typeof COST)[keyof typeof COST]

interface Costed {
  readonly test: Test
  readonly cost: Cost
}

class Planner {
  readonly #mailbox: SearchedMailbox
  readonly #facts = new HeaderFactsReader()
  readonly #texts: TextSearch[] = []
  readonly #asked = new Set<Cost>()
  #size = 0

  constructor(mailbox: SearchedMailbox) {
    this.#mailbox = mailbox
  }

  plan(key: SearchKey): Plan {
    // Sets that every match is in narrow the search down from the start.
    const keys = key.kind === 'and' ? key.keys : [key]
    let candidates = this.#mailbox.all
    const others: SearchKey[] = []
    for (const each of keys) {
      if (each.kind === 'messages') candidates = intersectUids(candidates, this.#mailbox.resolve(each.set, each.uid))
      else if (each.kind !== 'all') others.push(each)
    }
    const { test } = this.#junction('and', others)
    return {
      candidates,
      test,
      asks: {
        numbers: this.#asked.has(COST.none),
        rows: this.#asked.has(COST.row),
        listed: this.#asked.has(COST.listed),
        headers: this.#asked.has(COST.header),
        texts: this.#asked.has(COST.text),
      },
      texts: this.#texts,
      facts: this.#facts,
      size: this.#size,
    }
  }

  #compile(key: SearchKey): Costed {
    this.#size += 1
    switch (key.kind) {
      case 'and':
      case 'or':
        return this.#junction(key.kind, key.keys)
      case 'not': {
        const { test, cost } = this.#compile(key.key)
        return {
          cost,
          test: (known) => {
            const verdict = test(known)
            return verdict === undefined ? undefined : !verdict
          },
        }
      }
      case 'header':
        return this.#header(key.name, foldCase(key.text))
      case 'text':
        return this.#text(key.of, foldCase(key.text))
      case 'date':
        return key.of === 'internal' ? this.#row(internalDateTest(key.relation, key.day)) : this.#sentDate(key)
      case 'all':
        return this.#number(() => true)
      case 'messages': {
        const ranges = this.#mailbox.resolve(key.set, key.uid)
        return this.#number((uid) => holdsUid(ranges, uid))
      }
      case 'recent': {
        const { recent } = this.#mailbox
        return this.#number((uid) => recent !== undefined && uid >= recent.first && uid <= recent.last)
      }
      case 'flag':
        return this.#row((row) => (row.flags & key.bit) !== 0)
      case 'keyword':
        return this.#row(keywordTest(this.#mailbox.keywords, key.name))
      case 'size': {
        const { octets } = key
        const isLarger = key.relation === 'larger'
        return this.#row(({ sizeOctets }) => (isLarger ? sizeOctets > octets : sizeOctets < octets))
      }
    }
  }

  #number(matches: (uid: number) => boolean): Costed {
    this.#asked.add(COST.none)
    return { cost: COST.none, test: ({ uid }) => matches(uid) }
  }

  #row(matches: (row: MessageRow) => boolean): Costed {
    this.#asked.add(COST.row)
    return { cost: COST.row, test: ({ row }) => row && matches(row) }
  }

  #header(name: Uint8Array, text: string): Costed {
    const place = this.#facts.add(name)
    const textsOf = ({ texts }: HeaderFacts): readonly string[] => texts[place] as readonly string[]
    if (text === '') return this.#fact(isListedField(name), (facts) => textsOf(facts).length > 0)
    const finder = createTextFinder(text)
    return this.#fact(isListedField(name), (facts) =>
      textsOf(facts).some((value) => {
        finder.reset()
        return finder.push(value)
      }),
    )
  }

  #sentDate({ relation, day }: Extract<SearchKey, { kind: 'date' }>): Costed {
    this.#facts.addSentDay()
    return this.#fact(true, ({ sentDay }) => sentDay !== undefined && isRelated(sentDay, relation, day))
  }

  #fact(isListed: boolean, matches: (facts: HeaderFacts) => boolean): Costed {
    const cost = isListed ? COST.listed : COST.header
    this.#asked.add(cost)
    return {
      cost,
      test: (known) => {
        const facts = known.header ?? (isListed ? known.listed : undefined)
        return facts && matches(facts)
      },
    }
  }

  #text(of: 'body' | 'text', text: string): Costed {
    if (text === '') return this.#number(() => true)
    const finder = createTextFinder(text)
    this.#texts.push({ of, finder })
    this.#asked.add(COST.text)
    return { cost: COST.text, test: ({ scanned }) => finder.found || (scanned === true ? false : undefined) }
  }

  /** All (`and`) or one (`or`) of the keys, the cheapest asked first. */
  #junction(kind: 'and' | 'or', keys: readonly SearchKey[]): Costed {
    const parts = keys.map((key) => this.#compile(key)).sort((a, b) => a.cost - b.cost)
    const tests = parts.map(({ test }) => test)
    const decisive = kind === 'or'
    return {
      cost: parts.at(-1)?.cost ?? COST.none,
      test: (known) => {
        let verdict: boolean | undefined = !decisive
        for (const test of tests) {
          const part = test(known)
          if (part === decisive) return decisive
          if (part === undefined) verdict = undefined
        }
        return verdict
      },
    }
  }
}

function internalDateTest(relation: 'before' | 'on' | 'since', day: Day): (row: MessageRow) => boolean {
  return (row) => isRelated(dayOfInternalDate(row.internalDate), relation, day)
}

function isRelated(day: Day, relation: 'before' | 'on' | 'since', asked: Day): boolean {
  if (relation === 'before') return day < asked
  return relation === 'on' ? day === asked : day >= asked
}

function keywordTest(keywords: readonly string[], name: string): (row: MessageRow) => boolean {
  const [place] = keywordPlaces(keywords, [name])
  if (place === undefined) return () => false
  if (place < 32) return (row) => ((row.keywordBits >>> place) & 1) !== 0
  const folded = foldKeyword(name)
  return (row) => row.wideKeywords?.some((keyword) => foldKeyword(keyword) === folded) ?? false
}

/** Names of the keywords without a bit of their own that a search asks for. */
export function keywordsOf(key: SearchKey): readonly string[] {
  const names: string[] = []
  const waiting: SearchKey[] = [key]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.kind === 'keyword') names.push(next.name)
    else if (next.kind === 'not') waiting.push(next.key)
    else if (next.kind === 'and' || next.kind === 'or') waiting.push(...next.keys)
  }
  return names
}
