import { NadiError } from '#base'
import { CLASSES, KIND_OF_CHAR, type FieldSpec } from '#iso8583'
import { DICTIONARY, isPath, type Message, type MessageKind, type Path } from '#message'
import { ACCESS } from './access.ts'
import { isMarked, type Mark } from './compile-kinds.ts'
import { compileLayout, makeValue, type Context } from './compile-layouts.ts'
import type { Decider, Parts } from './compile-messages.ts'
import { charactersOf, formatOf } from './dialect.ts'
import type { Format } from './format-basics.ts'
import { parseFormat } from './format.ts'
import { canWriteLayout, readLayout, saysLayout, writeLayout, type Layout } from './layout.ts'
import type { Piece } from './plan.ts'
import type { TextTree } from './source.ts'

/** The message that a piece is part of. */
export type Frame = {
  readonly parts: Parts
  readonly kind: MessageKind
  readonly request: boolean
  /** Notes where the element stands that decides how all others are read. */
  readonly decides: (decider: 'product' | 'outcome', piece: Decider, at: string) => boolean
}

/** The place that a piece stands in. */
export type Place = {
  /** `48`, `48.PI` */
  readonly path: string
  readonly optional: boolean
  readonly spec: FieldSpec
  readonly context: Context
}

/**
 * What one place says:
 *
 *     outcome · product · kind     what decides how the rest is read
 *     PATH [FORMAT]                a value of the message; PATH? where blanks stand for none
 *     LAYOUT [or LAYOUT …]         several values one after the other
 *     is VALUE                     always the same
 *     echo [PATH … | LAYOUT …]     each side's own: whoever asks says and reads it, whoever answers
 *                                  gives back what stood there; without more, only that
 *     empty                        there, without a character
 *     ignored                      may be there and says nothing to us; never written
 */
export function compilePiece(frame: Frame, place: Place, text: TextTree): Piece | undefined {
  const { text: line, at } = text
  if (line === 'product' || line === 'outcome') return deciderPiece(frame, place, line, at)
  if (line === 'kind') return kindPiece(frame, place, at)
  if (line === 'echo' || line.startsWith('echo ')) return echoPiece(frame, place, text)
  if (line === 'ignored') return ignoredPiece(place, at)
  const [first, ...more] = line.split(' ') as [string, ...string[]]
  if (line === 'empty') return constantPiece(frame, place, '', at)
  if (first === 'is') return constantPiece(frame, place, more.join(' '), at)
  const path = first.replace(/\?$/, '')
  if (isPath(path)) return valuePiece(place, path, first.endsWith('?'), more.join(' '), at)
  return layoutPiece(place, text)
}

const nothing = (): void => {}

type Base = Pick<Piece, 'field' | 'optional' | 'layouts'>

function baseOf({ context, optional }: Place): Base {
  return { field: context.field, optional, layouts: [] }
}

function valuePiece(
  place: Place,
  path: Path,
  blank: boolean,
  text: string,
  at: string,
): Piece | undefined {
  const { spec, context } = place
  const { kind } = DICTIONARY[path]
  const format = parseFormat(text === '' ? formatOf(spec, kind) : text, kind, context.nowMs)
  if (typeof format === 'string') return context.check.wrong(at, format)
  if (!widthFits(spec, format.width, format.width ?? format.widthMax)) {
    const text_ = `"${text}" does not fit element ${place.path}, which has ${charactersOf(spec)}`
    return context.check.wrong(at, text_)
  }
  if (path === 'outcome') return context.check.wrong(at, 'an outcome takes no format')
  const access = ACCESS[path]
  const part = makeValue(context, path, '', blank, format)
  return {
    ...baseOf(place),
    path,
    part,
    normalise: format.normalise,
    text: wholeText(spec, blank, format, text, from => access.get(from) as string | undefined),
    read(cursor, into) {
      part.read(cursor, into)
      if (cursor.at !== cursor.end) throw cursor.wrong('PACK_FORMAT', '', cursor.at, 'the end')
    },
    write: (writer, from) => part.write(writer, from),
    has: from => access.get(from) !== undefined,
  }
}

/** Where the field's own class is that of the format, the codec's check is enough. */
function wholeText(
  { content }: FieldSpec,
  blank: boolean,
  { normalise, partial }: Format,
  text: string,
  get: (from: Message) => string | undefined,
): Piece['text'] {
  const sameClass = text === '' || (/^[a-z]+/.exec(text)?.[0] ?? 'n') === content
  if (blank || partial || !normalise || !sameClass || / |^[A-Z]/.test(text)) return undefined
  return from => {
    const value = get(from)
    return value === undefined ? undefined : normalise(value)
  }
}

function widthFits(field: FieldSpec, min: number | undefined, max: number | undefined): boolean {
  const { length, pad } = field
  const size = charactersOf(field)
  if (length.form === 'fixed' && !pad?.trim) return min === size && max === size
  return (min ?? 0) <= size && (max ?? 0) <= size
}

/** One layout, or several of which the length says which one it is: `bought or asked`. */
function layoutPiece(place: Place, { text, at }: TextTree): Piece | undefined {
  const { spec, context } = place
  const layouts: Layout[] = []
  for (const name of text.split(' or ')) {
    const layout = compileLayout(context, name, at)
    if (!layout) return undefined
    if (!widthFits(spec, layout.fixedWidth, layout.widthMax)) {
      const width = layout.widthMax ?? layout.fixedWidth
      const has = `element ${place.path} has ${charactersOf(spec)}`
      return context.check.wrong(at, `layout "${name}" has ${width} characters, and ${has}`)
    }
    layouts.push(layout)
  }
  const first = layouts[0] as Layout
  const single = layouts.length === 1
  const names = layouts.map(({ name, fixedWidth }) => `${name} (${fixedWidth})`).join(' or ')
  const writable = (from: Message) => layouts.find(layout => canWriteLayout(layout, from))
  return {
    ...baseOf(place),
    layouts,
    which: from => layouts.findIndex(layout => canWriteLayout(layout, from)),
    path: text,
    read(cursor, into) {
      const length = cursor.end - cursor.at
      const layout = single ? first : layouts.find(one => one.fits(length))
      if (!layout) throw cursor.wrong('PACK_FORMAT', '', cursor.at, names, `${length} characters`)
      readLayout(layout, cursor, into)
    },
    write(writer, from) {
      writeLayout(single ? first : (writable(from) ?? first), writer, from)
    },
    has(from) {
      const layout = writable(from)
      return layout !== undefined && saysLayout(layout, from)
    },
  }
}

/** Read before all else, so reading it again does nothing. */
function deciderPiece(
  frame: Frame,
  place: Place,
  decider: 'product' | 'outcome',
  at: string,
): Piece | undefined {
  const { path, context } = place
  if (!frame.decides(decider, { path, field: context.field }, at)) return undefined
  const { products, codes } = frame.parts
  const { kind } = frame
  return {
    ...baseOf(place),
    path: decider,
    read: nothing,
    text:
      decider === 'product'
        ? ({ product }) => products.codeOf(product as string)
        : ({ outcome }) => outcome && codes.codeFor(kind, outcome),
    write: nothing,
    has: () => true,
  }
}

/** The place that tells kinds of the same message type apart. */
function kindPiece({ parts, kind }: Frame, place: Place, at: string): Piece | undefined {
  const spec = parts.kinds.get(kind)
  const first = saidBy(spec?.marks, place)
  const repeated = saidBy(spec?.repeatMarks, place)
  if (first === undefined || repeated === undefined) {
    const text = `kinds does not say which one value of element ${place.path} is ${kind}`
    return parts.check.wrong(at, text)
  }
  return {
    ...baseOf(place),
    path: 'kind',
    read: nothing,
    text: first === repeated ? () => first : ({ repeat }) => (repeat ? repeated : first),
    write: nothing,
    has: () => true,
  }
}

/** What is written there: the one value of the mark; the beginning of one is filled up with zeros. */
function saidBy(marks: readonly Mark[] | undefined, { path, spec }: Place): string | undefined {
  const mark = marks?.find(one => one.path === path)
  if (mark?.values.length !== 1) return undefined
  const [value = ''] = mark.values
  return mark.begins ? value.padEnd(charactersOf(spec), '0') : value
}

function constantPiece(
  { parts, kind }: Frame,
  place: Place,
  value: string,
  at: string,
): Piece | undefined {
  const { spec, path, context } = place
  const { bits, text } = CLASSES[spec.content]
  const fits = widthFits(spec, value.length, value.length)
  const inside = [...Buffer.from(value, 'latin1')].every(
    code => ((KIND_OF_CHAR[code] as number) & bits) !== 0,
  )
  if (!fits || !inside) {
    const size = charactersOf(spec)
    return context.check.wrong(at, `element ${path} cannot be "${value}": it is ${text}, ${size}`)
  }
  const kinds = parts.kinds.get(kind)
  const marks = [...(kinds?.marks ?? []), ...(kinds?.repeatMarks ?? [])]
  if (marks.some(mark => mark.path === path && !isMarked(mark, value))) {
    return context.check.wrong(at, `kinds wants another value of element ${path} for ${kind}`)
  }
  return {
    ...baseOf(place),
    path: 'is',
    read(cursor) {
      if (cursor.text.slice(cursor.at, cursor.end) !== value) {
        throw cursor.wrong('PACK_FORMAT', '', cursor.at, value === '' ? 'nothing' : value)
      }
    },
    text: () => value,
    write: nothing,
    has: () => true,
  }
}

/**
 * Whatever stood there is kept as it was, in `echoed`, and written when it is there; else what
 * stands behind `echo` is. Only in an answer, which the asker reads, is that read into the message.
 */
function echoPiece(frame: Frame, place: Place, { at, text }: TextTree): Piece | undefined {
  const { context, optional, path } = place
  const { check } = context
  if (path.includes('.')) return check.wrong(at, 'only a whole element can be an echo')
  const inner: Place = frame.request
    ? { ...place, context: { ...context, own: new Set<Path>() } }
    : place
  const line = text.slice('echo '.length)
  const said = line === '' ? undefined : compilePiece(frame, inner, { tag: 'text', at, text: line })
  if (line !== '' && !said) return undefined
  if (frame.request && !optional && !said) {
    const wrong = 'an echo in a request is what a partner may say; write "?" behind its number'
    return check.wrong(at, wrong)
  }
  const kept = ({ echoed }: Message) => echoed?.[path]
  return {
    ...baseOf(place),
    path: 'echo',
    read(cursor, into) {
      said?.read(cursor, frame.request ? ({} as Message) : into)
    },
    write(writer, from) {
      const value = kept(from)
      if (value !== undefined) writer.chars(value, 'any', context.field)
      else if (!said) throw new NadiError('PACK_MISSING_FIELD', { path: context.field })
      else if (!said.text) said.write(writer, from)
      else writer.chars(said.text(from) ?? '', 'any', context.field)
    },
    normalise: said?.normalise,
    has: from => kept(from) !== undefined || said?.has(from) === true,
  }
}

function ignoredPiece(place: Place, at: string): Piece | undefined {
  const { optional, context } = place
  if (!optional) {
    return context.check.wrong(at, 'what is ignored is never written; write "?" behind its name')
  }
  return {
    ...baseOf(place),
    path: 'ignored',
    read: nothing,
    text: () => undefined,
    write: nothing,
    has: () => false,
  }
}
