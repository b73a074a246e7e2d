import { formatMoney, NadiError, type AmountMinor } from '#base'
import { type FieldMask, type FieldSpec, type IsoMessage, type IsoPart, latin1Text } from '#iso8583'
import {
  DICTIONARY,
  isPath,
  maskValue,
  REASONS,
  type Entry,
  type Mask,
  type Message,
  type Path,
} from '#message'
import { ACCESS, type Target } from './access.ts'
import { Cursor } from './cursor.ts'
import type { Dialect } from './dialect.ts'
import { enterElement } from './enter.ts'
import type { Resolved } from './resolve.ts'
import type { Layout } from './layout.ts'
import type { DescribedField } from './pack.ts'
import type { Element } from './plan.ts'

/**
 * A frame for people, one line a field and one for each part inside it. Goes as far as the frame
 * can be understood: where a layout does not fit, the element stands as a whole and hidden.
 */
export function describeFrame(
  { fields: specs, spec: { headerBytes } }: Dialect,
  fields: IsoMessage,
  resolved: Resolved | undefined,
  unsafe: boolean,
): DescribedField[] {
  const { mti } = fields
  if (mti === '') return []
  const out: DescribedField[] = [
    { path: 'mti', name: 'message type', offset: headerBytes, length: 4, value: mti },
  ]
  for (const [place, number] of fields.numbers.entries()) {
    const spec = specs[number]
    const element = resolved?.variant.byNumber[number]
    const raw = fields.raw(number) as Uint8Array
    const offset = raw.byteOffset - fields.frame.byteOffset
    const text = fields.get(number) ?? ''
    const value = shown(text, maskOfElement(spec, element, text), unsafe)
    const meaning = element && resolved && meaningOf(element, fields, place, resolved)
    const line = { path: `${number}`, name: spec?.name ?? '', offset, length: raw.length, value }
    out.push(meaning === undefined ? line : { ...line, meaning })
    if (element?.inside) describeParts(fields.parts(number) ?? [], spec, element, '', unsafe, out)
    else if (element) out.push(...describeLayouts(element, fields, place, unsafe))
  }
  return out
}

/** What has parts is hidden as a whole: its parts are shown one by one, each under its own mask. */
function maskOfElement(
  spec: FieldSpec | undefined,
  element: Element | undefined,
  text: string,
): Mask | undefined {
  if (spec?.children && text !== '') return 'hidden'
  return maskOf(spec?.mask) ?? (element && maskOfPath(element.path))
}

function maskOfPath(path: string): Mask | undefined {
  const entry: Entry | undefined = isPath(path) ? DICTIONARY[path] : undefined
  return entry?.mask
}

/** The parts of a composite, and theirs. */
function describeParts(
  parts: readonly IsoPart[],
  spec: FieldSpec | undefined,
  element: Element,
  ids: string,
  unsafe: boolean,
  out: DescribedField[],
): void {
  for (const { id, value, offset, parts: further } of parts) {
    const its = `${ids}${id}`
    const child = childOf(spec, id)
    const piece = element.inside?.pieceOf(its)
    const path = `${element.number}.${its}`
    const name = child?.name ?? ''
    if (further) {
      out.push({ path, name, offset, length: 0, value: '' })
      describeParts(further, child, element, `${its}.`, unsafe, out)
      continue
    }
    const mask = maskOf(child?.mask) ?? (piece && maskOfPath(piece.path))
    // What the table hides as a whole stays hidden where nothing says what a part of it is.
    const shy = mask ?? (piece ? undefined : maskOf(spec?.mask))
    out.push({ path, name, offset, length: value.length, value: shown(value, shy, unsafe) })
  }
}

function childOf(spec: FieldSpec | undefined, id: string): FieldSpec | undefined {
  const { children } = spec ?? {}
  if (!children || children.kind === 'datasets') return undefined
  return children.fields.find(field => field.id === id)
}

function shown(value: string, mask: Mask | undefined, unsafe: boolean): string {
  return mask && !unsafe ? maskValue(mask, value) : value
}

/** Cards' data are told by their own rules where cards are shown; here they are hidden. */
function maskOf(mask: FieldMask | undefined): Mask | undefined {
  if (mask === undefined) return undefined
  return (MASKS as readonly string[]).includes(mask) ? (mask as Mask) : 'hidden'
}

const MASKS = ['name', 'token', 'partial', 'hidden'] as const satisfies readonly Mask[]

function meaningOf(
  element: Element,
  fields: IsoMessage,
  place: number,
  { plan, outcome }: Resolved,
): string | undefined {
  if (element.path === 'outcome') return outcome && `${outcome.meaning}: ${REASONS[outcome.reason]}`
  if (element.path === 'product') return plan.product
  if (element.path === 'kind') return plan.kind
  if (element.layouts.length > 0 || !isPath(element.path)) return undefined
  const cursor = cursorOn(element, fields, place)
  const into = {} as Message
  return quietly(() => element.read(cursor, into)) ? meaningOfValue(element.path, into) : undefined
}

function describeLayouts(
  element: Element,
  fields: IsoMessage,
  place: number,
  unsafe: boolean,
): DescribedField[] {
  const cursor = cursorOn(element, fields, place)
  const layout = element.layouts.find(one => one.fits(cursor.end - cursor.at))
  if (!layout) return []
  const out: DescribedField[] = []
  quietly(() => describeLayout(layout, cursor, {}, `${element.number}.`, unsafe, out))
  return out
}

function describeLayout(
  layout: Layout,
  cursor: Cursor,
  into: Target,
  prefix: string,
  unsafe: boolean,
  out: DescribedField[],
): void {
  for (const part of layout.parts) {
    const offset = cursor.at
    if (part.list) {
      for (let index = 0; cursor.at < cursor.end; index++) {
        const inside = `${prefix}${part.name}[${index}].`
        describeLayout(part.list.layout, cursor, {}, inside, unsafe, out)
      }
      continue
    }
    part.read(cursor, into)
    if (part.path === undefined) continue
    const entry = DICTIONARY[part.path]
    const text = cursor.text.slice(offset, cursor.at).trimEnd()
    const value = shown(text, 'mask' in entry ? entry.mask : undefined, unsafe)
    const isCount = entry.kind === 'list'
    const meaning = isCount ? undefined : meaningOfValue(part.path, into)
    const name = isCount ? `how many ${entry.text}` : entry.text
    const length = cursor.at - offset
    const line = { path: prefix + part.name, name, offset: cursor.base + offset, length, value }
    out.push(meaning === undefined ? line : { ...line, meaning })
  }
}

/** Only what helps: an amount as Indonesia writes it, a number without its zeros. */
function meaningOfValue(path: Path, into: Target): string | undefined {
  const { kind } = DICTIONARY[path]
  const value = path === 'outcome' ? undefined : ACCESS[path].get(into)
  if (value === undefined) return undefined
  if (kind === 'money') return formatMoney(value as AmountMinor)
  if (typeof value === 'number') return `${value}`
  if (kind === 'enum') return value as string
  return undefined
}

function cursorOn(element: Element, fields: IsoMessage, place: number): Cursor {
  const cursor = new Cursor()
  const { frame } = fields
  enterElement(cursor, element, fields, place, latin1Text(frame, 0, frame.length))
  return cursor
}

/** Whether it went well; what cannot be read is shown as far as it could be. */
function quietly(run: () => void): boolean {
  try {
    run()
    return true
  } catch (error) {
    if (error instanceof NadiError) return false
    throw error
  }
}
