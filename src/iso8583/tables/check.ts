import { pathsOf } from '../codec/overlay.ts'
import type {
  BitmapSpec,
  CompositeSpec,
  FieldSpec,
  MessageSpec,
  OverlaySpec,
} from '../codec/spec.ts'
import { BCDS, LIMITS } from './words.ts'

/**
 * What makes no sense although every word of it is right. `path` is that of the element:
 * `55.9F02`; a table's compiler knows its line.
 */
export type Contradiction = { readonly path: string; readonly text: string }

export function checkSpec(spec: MessageSpec): Contradiction[] {
  const found: Contradiction[] = []
  checkNumbers(spec.fields, spec.bitmap, '', found)
  checkFields(spec.fields, '', found)
  const third = spec.bitmap.tertiaryField
  if (third !== undefined && spec.fields.some(({ id }) => id === String(third))) {
    found.push({ path: String(third), text: 'it holds the third bitmap, so it has no line' })
  }
  for (const [index, overlay] of spec.overlays.entries()) {
    const path = `messages[${index}]`
    for (const named of new Set(pathsOf(overlay))) {
      const text = unknownPart(named, [spec.fields, ...spec.overlays.map(({ fields }) => fields)])
      if (text !== undefined) found.push({ path: placeOf(index, overlay, named), text })
    }
    found.push(...contradictingRules(path, overlay))
    checkFields(overlay.fields, '', found)
  }
  return found
}

/** Where the rule stands that names an element: its own line where it has one. */
function placeOf(index: number, { conditions = [] }: OverlaySpec, named: string): string {
  const rule = conditions.find(
    ({ path, when }) => path === named || when.flat().some(test => test.path === named),
  )
  return rule ? `messages[${index}].conditional.${rule.path}` : `messages[${index}]`
}

function contradictingRules(
  at: string,
  { mandatory, forbidden, conditions = [] }: OverlaySpec,
): Contradiction[] {
  const both = mandatory.filter(named => forbidden.includes(named))
  const always = new Set([...mandatory, ...forbidden])
  const twice = conditions.filter(({ path }) => always.has(path))
  return [
    ...both.map(named => ({ path: at, text: `${named} is mandatory and forbidden` })),
    ...twice.map(({ path }) => ({
      path: `${at}.conditional.${path}`,
      text: 'it has a condition and is always mandatory or forbidden, too',
    })),
  ]
}

/** What is wrong with a path, of which the element may be laid out in several ways. */
function unknownPart(named: string, tables: readonly (readonly FieldSpec[])[]): string | undefined {
  const [number = '', ...ids] = named.split('.')
  const tops = tables.flatMap(fields => fields.filter(({ id }) => id === number))
  if (tops.length === 0) return `element ${number} is not in the table`
  return tops.some(top => canHave(top, ids)) ? undefined : `there is no part ${named} in the table`
}

function canHave({ children }: FieldSpec, [id, ...further]: readonly string[]): boolean {
  if (id === undefined) return true
  if (!children) return false
  if (children.kind === 'bitmapped' && id === 'header') return children.headerBytes > 0
  if ('unknown' in children && children.unknown === 'keep') return true
  const fields = children.kind === 'datasets' ? datasetFields(children) : children.fields
  return fields.some(field => sameId(field.id, id) && canHave(field, further))
}

/** The datasets as fields of their own, which hold those of their kind. */
function datasetFields({ datasets }: CompositeSpec & { kind: 'datasets' }): FieldSpec[] {
  return datasets.map(({ id, name, fields }) => ({
    id,
    name,
    content: 'b',
    data: 'binary',
    length: { form: 'rest' },
    unit: 'bytes',
    size: 0,
    children: { kind: 'positional', shorter: true, fields },
  }))
}

/** A dataset may stand for a range: `71-FE`. */
function sameId(id: string, named: string): boolean {
  const [from, to] = id.split('-')
  return to === undefined ? id === named : named >= (from ?? '') && named <= to
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
  if (children.kind === 'tagged') {
    const { tag, fields } = children
    const size = tag.size * (tag.encoding === 'binary' ? 2 : 1)
    if (tag.size < 1 || tag.size > 16)
      found.push({ path: above.slice(0, -1), text: 'a tag has 1 to 16 characters' })
    for (const { id } of fields) {
      if (id.length === size) continue
      found.push({ path: above + id, text: `its tag is not ${size} characters long` })
    }
  }
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
  // Fixed and 0 is a field that is its bit alone; a sign is something.
  if (size === 0 && length.form === 'fixed' && content === 'x+n') texts.push('x+n has a sign')
  if (size > LIMITS.sizeMax) texts.push(`the size ${size} is larger than ${LIMITS.sizeMax}`)
  return texts
}

/** The largest number that a length prefix can say of what follows it. */
function prefixMax(length: FieldSpec['length'] & { form: 'prefix' }): number {
  const { encoding, digits, inclusive } = length
  const bytes = encoding === 'hex-bcd' || encoding === 'bcd' ? Math.ceil(digits / 2) : digits
  const base = encoding === 'binary' ? 256 : encoding.startsWith('hex-') ? 16 : 10
  return base ** digits - 1 - (inclusive ? bytes : 0)
}
