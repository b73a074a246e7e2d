import type { BitmapSpec, CompositeSpec, FieldSpec, MessageSpec } from '../codec/spec.ts'
import { BCDS } from './words.ts'

/**
 * What makes no sense although every word of it is right. `path` is that of the element:
 * `55.9F02`; a table's compiler knows its line.
 */
export type Contradiction = { readonly path: string; readonly text: string }

export function checkSpec(spec: MessageSpec): Contradiction[] {
  const found: Contradiction[] = []
  const numbers = new Set(spec.fields.map(({ id }) => id))
  checkNumbers(spec.fields, spec.bitmap, '', found)
  checkFields(spec.fields, '', found)
  const third = spec.bitmap.tertiaryField
  if (third !== undefined && numbers.has(String(third))) {
    found.push({ path: String(third), text: 'it holds the third bitmap, so it has no line' })
  }
  for (const [index, overlay] of spec.overlays.entries()) {
    const path = `messages[${index}]`
    const { mandatory, conditional, forbidden, echoed, allowed } = overlay
    const paths = [...mandatory, ...conditional, ...forbidden, ...echoed]
    for (const named of [...paths, ...allowed.map(({ path }) => path)]) {
      const number = named.split('.')[0] ?? ''
      const known = numbers.has(number) || overlay.fields.some(({ id }) => id === number)
      if (!known) found.push({ path, text: `element ${number} is not in the table` })
    }
    const both = mandatory.find(named => forbidden.includes(named))
    if (both !== undefined) found.push({ path, text: `${both} is mandatory and forbidden` })
    checkFields(overlay.fields, '', found)
  }
  return found
}

function checkNumbers(
  fields: readonly FieldSpec[],
  { encoding, bytes, extension, most, tertiaryField }: BitmapSpec,
  above: string,
  found: Contradiction[],
): void {
  const none = encoding === 'none'
  const open = none || tertiaryField !== undefined
  const last = open ? 192 : extension === 'auto' ? bytes * 8 * most : bytes * 8
  const first = none || extension === 'always' ? 1 : 2
  for (const { id } of fields) {
    const number = Number(id)
    if (number >= first && number <= last) continue
    const text = `the bitmap names elements from ${first} to ${last}`
    found.push({
      path: above + id,
      text: extension === 'forbidden' || last < 192 ? `${text}; is there a further bitmap?` : text,
    })
  }
}

function checkFields(fields: readonly FieldSpec[], above: string, found: Contradiction[]): void {
  const seen = new Set<string>()
  for (const field of fields) {
    const path = above + field.id
    if (seen.has(field.id)) found.push({ path, text: 'it is there twice' })
    seen.add(field.id)
    for (const text of contradictionsOf(field)) found.push({ path, text })
    if (field.children) checkChildren(field.children, `${path}.`, found)
  }
}

function checkChildren(children: CompositeSpec, above: string, found: Contradiction[]): void {
  if (children.kind === 'datasets') {
    for (const { id, fields } of children.datasets) checkFields(fields, `${above}${id}.`, found)
    return
  }
  if (children.kind === 'bitmapped') checkNumbers(children.fields, children.bitmap, above, found)
  if (children.kind === 'positional') {
    const rest = children.fields.findIndex(({ length }) => length.form === 'rest')
    if (rest >= 0 && rest < children.fields.length - 1) {
      found.push({
        path: above + children.fields[rest]?.id,
        text: 'it takes all that is left, so nothing can follow it',
      })
    }
  }
  checkFields(children.fields, above, found)
}

function contradictionsOf(field: FieldSpec): string[] {
  const { content, data, length, unit, size, filled } = field
  const texts: string[] = []
  const bcd = (BCDS as readonly string[]).includes(data)
  const bytes = /^(?:binary|hex-)/.test(data)
  if (bcd && !['n', 'z', 'h'].includes(content)) {
    texts.push(`class ${content} cannot be written in BCD, which has digits only`)
  }
  if (data.startsWith('sign-bcd') && content !== 'x+n') {
    texts.push(`${data} is for x+n only`)
  }
  if (bytes !== (content === 'b') && content !== 'any') {
    texts.push(`class ${content} cannot be written as ${data}`)
  }
  if (unit === 'digits' && !bcd) texts.push('digits are counted in BCD only')
  if (filled && length.form !== 'prefix')
    texts.push('only a length before it can say how much of it is filled')
  const most = length.form === 'prefix' ? prefixMax(length) : undefined
  if (most !== undefined && size > most) {
    texts.push(`a length of ${most} is the longest that can be said; the size is ${size}`)
  }
  if (size === 0 && length.form !== 'fixed' && !field.children) texts.push('its size is 0')
  return texts
}

/** The largest number that a length prefix can say of what follows it. */
function prefixMax(length: FieldSpec['length'] & { form: 'prefix' }): number {
  const { encoding, digits, inclusive } = length
  const bytes = encoding === 'hex-bcd' || encoding === 'bcd' ? Math.ceil(digits / 2) : digits
  const base = encoding === 'binary' ? 256 : encoding.startsWith('hex-') ? 16 : 10
  return base ** digits - 1 - (inclusive ? bytes : 0)
}
