import { ApiProblem } from './problem.ts'

const DEPTH_MAX = 16

/**
 * JSON (RFC 8259) of a request's raw body: UTF-8, no key twice in an object (which of the two counts
 * differs from reader to reader), nested at most 16 deep. Throws `malformed-json`, saying where but
 * never what stands there.
 */
export function readJson(body: Uint8Array): unknown {
  const text = decode(body)
  const deep = tooDeep(text)
  if (deep !== undefined)
    throw malformed(`it is nested more than ${DEPTH_MAX} deep at character ${deep}`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw malformed('it is not JSON')
  }
  const twice = keyTwice(text)
  if (twice !== undefined) throw malformed(`a key stands twice in one object at character ${twice}`)
  return value
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    throw malformed('it is not UTF-8')
  }
}

/** Where the nesting passes the limit; looked at before anything is parsed. */
function tooDeep(text: string): number | undefined {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') at = stringEnd(text, at)
    else if (char === '{' || char === '[') {
      if (++depth > DEPTH_MAX) return at
    } else if (char === '}' || char === ']') depth--
  }
  return undefined
}

/** Where a key stands for the second time in its object. The text is known to be JSON. */
function keyTwice(text: string): number | undefined {
  /** The keys of each object around; undefined for a list. */
  const around: (Set<string> | undefined)[] = []
  let keyNext = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '{' || char === '[') {
      around.push(char === '{' ? new Set() : undefined)
      keyNext = char === '{'
    } else if (char === '}' || char === ']') {
      around.pop()
      keyNext = false
    } else if (char === ',') keyNext = around.at(-1) !== undefined
    else if (char === '"') {
      const end = stringEnd(text, at)
      const keys = around.at(-1)
      if (keyNext && keys) {
        const key = JSON.parse(text.slice(at, end + 1)) as string
        if (keys.has(key)) return at
        keys.add(key)
      }
      keyNext = false
      at = end
    }
  }
  return undefined
}

/** Where the string that begins at `at` has its closing quote, or the end of the text. */
function stringEnd(text: string, at: number): number {
  let end = at + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  return end
}

function malformed(detail: string): ApiProblem {
  return new ApiProblem('malformed-json', `the body cannot be read: ${detail}`)
}
