/**
 * Regular expressions of the configuration: RE2 syntax, unanchored, matched in linear time whatever they and the text
 * are. No back-references, no look-around.
 */
import { RE2JS } from 're2js'
import { z } from 'zod'

/** LIMIT: of a pattern's text; its automaton grows with it. */
const MAX_PATTERN_CHARACTERS = 1_000
/** LIMIT: of what a pattern is tried on; the rest isn't looked at. */
const MAX_TEXT_CHARACTERS = 10_000

/** A pattern as configuration holds it: compiled when it is checked, so that one that can't be is an error at its place. */
export function patternSchema(options: { readonly lowerCase?: boolean } = {}): z.ZodType<string, string> {
  return z
    .string()
    .min(1)
    .max(MAX_PATTERN_CHARACTERS)
    .superRefine((text, context) => {
      const problem = compile(text)
      if (typeof problem === 'string') context.addIssue({ code: 'custom', message: `Is not a regular expression (RE2 syntax): ${problem}` })
      else if (options.lowerCase === true && text !== lowerCaseOf(text)) {
        context.addIssue({ code: 'custom', message: 'Must be in lower case: it is matched against text in lower case' })
      }
    })
}

export interface Pattern {
  readonly source: string
  test(text: string): boolean
}

/** @param source as `patternSchema` passed @throws TypeError for others */
export function createPattern(source: string): Pattern {
  const compiled = compile(source)
  if (typeof compiled === 'string') throw new TypeError(`Not a regular expression: ${compiled}`)
  return { source, test: (text) => compiled.matcher(text.slice(0, MAX_TEXT_CHARACTERS)).find() }
}

/** Lower case but for classes such as `\S`, whose letter has a meaning. */
function lowerCaseOf(pattern: string): string {
  return pattern.replace(/\\.|[^\\]+/gs, (piece) => (piece.startsWith('\\') ? piece : piece.toLowerCase()))
}

function compile(text: string): RE2JS | string {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
