import { NadiError } from '#base'
import type { Target } from '../access.ts'
import type { TextTree } from '../source.ts'
import { PLAIN, type ValueScope } from './scope.ts'
import type { Context, Value } from './value.ts'

/**
 * Several values in one text, divided by a character or by their widths.
 *
 *     layouts:
 *       token-sn: [token.number digits 20, customer.name, customer.tariff, customer.powerVa integer]
 *     …
 *       sn: layout token-sn by /
 *       bit61: layout telkom fixed
 *
 * A part may be anything that a body's line may be. Behind the last one nothing follows; a layout
 * that ends with `...` lets the text end earlier or go on.
 */
export function compileSplit(
  scope: ValueScope,
  words: string,
  at: string,
  compile: (scope: ValueScope, line: TextTree) => Value | undefined,
): Value | undefined {
  const { check, layouts } = scope
  const match = /^([^\s?]+)(\?)? (?:by (\S+)|fixed)$/.exec(words)
  const name = match?.[1] ?? ''
  if (!match)
    return check.wrong(at, `"layout ${words}" must read "layout NAME by /" or "layout NAME fixed"`)
  const found = layouts?.entries.get(name)
  if (!found) {
    const known = [...(layouts?.entries.keys() ?? [])].join(', ')
    return check.wrong(at, `no layout is called "${name}"; there are ${known || 'none'}`)
  }
  const lines = check.list(found.value, name)
  const parts: Value[] = []
  let open = false
  for (const [index, item] of (lines?.items ?? []).entries()) {
    const line = check.text(item, 'a part of a layout')
    if (!line) continue
    if (line.text === '...' && index === (lines?.items.length ?? 0) - 1) {
      open = true
      continue
    }
    const value = compile(scope, line)
    if (value) parts.push(value)
  }
  if (parts.length === 0) return undefined
  const blank = match[2] !== undefined
  const divided =
    match[3] === undefined ? fixed(scope, parts, at) : by(match[3], parts.length, open)
  return divided && splitValue(parts, divided, blank, open)
}

type Divide = {
  readonly expected: string
  /** Undefined when the text has another number of parts. */
  readonly cut: (text: string) => readonly string[] | undefined
  readonly join: (texts: readonly string[]) => string | undefined
}

function by(separator: string, count: number, open: boolean): Divide {
  return {
    expected: `${count} parts by ${separator}`,
    cut(text) {
      const texts = text.split(separator)
      return open || texts.length === count ? texts : undefined
    },
    // A separator in a value would move all that follows.
    join: texts =>
      texts.some(text => text.includes(separator)) ? undefined : texts.join(separator),
  }
}

function fixed({ check }: ValueScope, parts: readonly Value[], at: string): Divide | undefined {
  const widths = parts.map(({ width }) => width ?? 0)
  const loose = parts.find((_, index) => widths[index] === 0)
  if (loose) return check.wrong(at, `"${loose.path ?? loose.expected}" has no fixed width`)
  const total = widths.reduce((sum, width) => sum + width, 0)
  return {
    expected: `${total} characters`,
    cut(text) {
      if (text.length !== total) return undefined
      let from = 0
      return widths.map(width => text.slice(from, (from += width)))
    },
    join: texts =>
      texts.every((text, index) => text.length === widths[index]) ? texts.join('') : undefined,
  }
}

function splitValue(
  parts: readonly Value[],
  { cut, join, expected }: Divide,
  blank: boolean,
  open: boolean,
): Value {
  return {
    ...PLAIN,
    blank,
    path: parts.find(part => part.path)?.path,
    expected,
    read(text, into, context) {
      const texts = cut(text)
      if (!texts) return false
      return parts.every((part, index) => {
        const given = texts[index]
        if (given === undefined) return open
        if (part.blank && given.trim() === '') return true
        // Text for people is written by people: what may be missing may also be unreadable.
        return part.read(given.trim(), into, context) || part.blank
      })
    },
    write(from, context) {
      if (!parts.some(part => part.has(from, context))) return undefined
      const text = join(parts.map(part => writePart(part, from, context)))
      if (text === undefined) throw new NadiError('CODEC_VALUE', { path: 'layout', expected })
      return text
    },
    has: (from, context) => parts.some(part => part.has(from, context)),
  }
}

function writePart(part: Value, from: Target, context: Context): string {
  const text = part.write(from, context)
  if (text !== undefined) return text
  if (part.blank) return ''
  throw new NadiError('PACK_MISSING_FIELD', part.path === undefined ? {} : { path: part.path })
}
