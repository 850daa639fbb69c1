/**
 * What may stand in a log. Every line passes here, so that no call site has to think of it: text a stranger wrote can't
 * make lines of its own, move a terminal's cursor or fill a disk; secrets and octets of messages don't get in; addresses
 * are told in both forms where those differ. Threats 73, 74.
 */
import { formatPath, type Domain, type ForwardPath, type ReversePath } from '@postern/core/address'

/** LIMIT: characters of one text; an address of the envelope has at most 320, ids and reasons less. */
const MAX_TEXT = 1_000
/** LIMIT: of a stack trace of ours. */
const MAX_STACK = 4_000
/** LIMIT: elements of one list, names of one object. Recipients of a transaction may be hundreds; who they were is in its replies. */
const MAX_ELEMENTS = 100
/** LIMIT: objects in objects. */
const MAX_DEPTH = 6
/** LIMIT: values of one line in all, so that lists of lists stay small too. */
const MAX_VALUES = 1_000

/** Whether there may be anything to do: nearly all text is short, printable ASCII and no login. */
const ODD = /[^ -~]|:\/\/|auth|login/i

const HIDDEN = '[hidden]'

/** Names of fields whose value is never told, whatever it is. */
const SECRET_NAME = /^(?:.*(?:password|passphrase|secret|token|credential)s?|pass|authorization|cookie|set-cookie|(?:private|api|signing)[-_]?key|initial_?response)$/i

/** Control characters, those that break lines elsewhere, and those that turn writing round; what can't be shown at all. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|\p{Cs}/gu

/** What a client says to log in, where somebody logs a line of a conversation as it came. RFC 4954 §4, RFC 3501 §6.2.2, §6.2.3 */
const LOGIN_LINE = /(^|\n)(\S+\s+)?(AUTH(?:ENTICATE)?\s+[\w-]+|LOGIN)\s+\S[^\n]*/gi
/** Name and password in a URL. RFC 3986 §3.2.1 */
const URL_SECRET = /(\b[a-z][\w+.-]*:\/\/)[^\s/?#@]*@/gi

/** The fields of a line as they may be written. Never throws. */
export function cleanFields(fields: object): Record<string, unknown> {
  try {
    return cleanObject(fields, 0, { left: MAX_VALUES })
  } catch (error) {
    // A getter that throws, a proxy: the line is told without its fields rather than not at all.
    return { unloggable: cleanText(error instanceof Error ? error.message : 'fields') }
  }
}

/** One text: escaped, masked and cut. */
export function cleanText(text: string, maxLength = MAX_TEXT): string {
  if (text.length <= maxLength && !ODD.test(text)) return text
  // First, since what follows is linear in its length.
  const short = text.length > maxLength ? text.slice(0, maxLength) : text
  const masked = short.replace(URL_SECRET, `$1${HIDDEN}@`).replace(LOGIN_LINE, `$1$2$3 ${HIDDEN}`)
  const safe = escapeUnsafe(masked)
  return text.length > maxLength ? `${safe}… (${text.length} characters)` : safe
}

/** The sentence of a line, which is ours. */
export function cleanSentence(text: string): string {
  return escapeUnsafe(text)
}

function escapeUnsafe(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)
}

interface Budget {
  left: number
}

function cleanObject(object: object, depth: number, budget: Budget): Record<string, unknown> {
  const clean: Record<string, unknown> = {}
  let told = 0
  for (const [name, value] of Object.entries(object)) {
    if (value === undefined || typeof value === 'function') continue
    if (told >= MAX_ELEMENTS) {
      clean['more'] = Object.keys(object).length - told
      break
    }
    told += 1
    clean[cleanText(name)] = SECRET_NAME.test(name) && value !== null ? HIDDEN : cleanValue(value, depth, budget)
  }
  return clean
}

function cleanValue(value: unknown, depth: number, budget: Budget): unknown {
  budget.left -= 1
  if (budget.left < 0) return '…'
  switch (typeof value) {
    case 'string':
      return cleanText(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : cleanReference(value, depth, budget)
    case 'bigint':
    case 'symbol':
      return cleanText(String(value))
    default:
      return undefined
  }
}

function cleanReference(value: object, depth: number, budget: Budget): unknown {
  // Octets are a stranger's, or a secret's.
  if (ArrayBuffer.isView(value)) return `${value.byteLength} octets`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString()
  if (value instanceof Error) return cleanError(value, depth, budget)
  if (isPath(value)) return bothForms(pathText(value, true), pathText(value, false))
  if (isDomain(value)) return bothForms(value.unicode, value.ascii)
  if (depth >= MAX_DEPTH) return '…'
  if (Array.isArray(value)) {
    const clean = value.slice(0, MAX_ELEMENTS).map((element) => cleanValue(element, depth + 1, budget))
    if (value.length > MAX_ELEMENTS) clean.push(`… (${value.length})`)
    return clean
  }
  if (value instanceof Map) return cleanObject(Object.fromEntries(value) as object, depth + 1, budget)
  if (value instanceof Set) return cleanValue([...value], depth, budget)
  return cleanObject(value, depth + 1, budget)
}

/** Message and frames apart: a message may hold what a stranger wrote. */
function cleanError(error: Error, depth: number, budget: Budget): unknown {
  const { name, message, stack = '', cause, ...own } = error as Error & { readonly cause?: unknown }
  const frames = stack.split('\n').filter((line) => /^ {4}at /.test(line))
  return {
    // Fields of its own, such as `code`, `errno`, `offset`.
    ...cleanObject(own, depth + 1, budget),
    type: cleanText(error.constructor.name || name),
    message: cleanText(message),
    stack: frames.map((line) => cleanText(line)).join('\n').slice(0, MAX_STACK),
    ...(cause === undefined || depth >= MAX_DEPTH ? {} : { cause: cleanValue(cause, depth + 1, budget) }),
  }
}

/** An address in Unicode, then as DNS has it, where that is another: two names may look alike and be two. */
function bothForms(unicode: string, ascii: string): string {
  return unicode === ascii ? cleanText(unicode) : `${cleanText(unicode)} (${cleanText(ascii)})`
}

function pathText(path: ReversePath | ForwardPath, utf8: boolean): string {
  try {
    const text = formatPath(path, { utf8 })
    return path.kind === 'null' ? text : text.slice(1, -1)
  } catch {
    return 'no address'
  }
}

function isDomain(value: object): value is Domain {
  return 'ascii' in value && 'unicode' in value && typeof value.ascii === 'string' && typeof value.unicode === 'string'
}

function isPath(value: object): value is ReversePath | ForwardPath {
  if (!('kind' in value)) return false
  switch (value.kind) {
    case 'null':
    case 'postmaster':
      return Object.keys(value).length === 1
    case 'address':
      return 'address' in value && typeof value.address === 'object'
    case 'literal':
      return 'localpart' in value && 'ip' in value
    default:
      return false
  }
}
