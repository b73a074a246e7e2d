import type { Message } from '#message'
import type { Form } from '../format-basics.ts'
import type { Layout, ListShape, Part } from '../layout.ts'
import type { Element, StraightWrite, Variant } from '../plan.ts'
import { functionOf, Lines, NotStraight, quoted } from './lines.ts'
import * as put from './put.ts'
import type { PlanFacts } from './read.ts'
import { sayForm } from './write-form.ts'

/** Wider than any data element. */
const ROOM_BYTES = 16_384

/** Where values are put together; writing is synchronous, so that all share it. */
const VALUE = new Uint8Array(ROOM_BYTES)

/**
 * Straight code for one variant: each element's value is put together in `b` and handed to the
 * codec, or handed over as a text where it is one. Undefined where a part of it goes the general
 * way only.
 *
 *     z = digits(b, 7, customer?.id, 12)
 *     if (z < 0) return false
 *     …
 *     writer.setText(48, b, 19)
 */
export function straightWrite(facts: PlanFacts, variant: Variant): StraightWrite | undefined {
  try {
    return new WriteMaker(facts, variant).make()
  } catch (error) {
    if (error instanceof NotStraight) return undefined
    throw error
  }
}

class WriteMaker {
  readonly #facts: PlanFacts
  readonly #variant: Variant
  readonly #lines = new Lines()
  readonly #given: Record<string, unknown> = { ...put, b: VALUE }
  readonly #roots = new Set<string>()

  constructor(facts: PlanFacts, variant: Variant) {
    this.#facts = facts
    this.#variant = variant
  }

  make(): StraightWrite {
    for (const element of this.#variant.elements) this.#element(element)
    const roots = [...this.#roots].map(root => `const ${root} = from.${root}\n`).join('')
    const code = `let x, z\n${roots}${this.#lines.text()}\nreturn true`
    return functionOf(['writer', 'from'], code, this.#given) as StraightWrite
  }

  #element(element: Element): void {
    const { number, optional, layouts, part, inside, text, field, path } = element
    const lines = this.#lines
    if (inside || path === 'echo' || path === 'ignored') throw new NotStraight()
    lines.add(`// ${field}`)
    if (optional) {
      this.#given[`has${number}`] = (from: Message) => element.has(from)
      lines.add(`if (has${number}(from)) {`)
    }
    const said = this.#said(element)
    if (said !== undefined) lines.add(`writer.set(${number}, ${said})`)
    else if (text && part?.is.tag === 'value') this.#text(number, text, part)
    else if (text) {
      this.#given[`text${number}`] = text
      lines.add(
        `x = text${number}(from)`,
        'if (x === undefined) return false',
        `writer.set(${number}, x)`,
      )
    } else if (part) {
      this.#part(part, '0')
      lines.add(`writer.setText(${number}, b, z)`)
    } else this.#layouts(number, layouts, element)
    if (optional) lines.add('}')
  }

  /** What is the same in all messages of the variant. */
  #said({ path, text }: Element): string | undefined {
    const { product } = this.#facts
    if (path !== 'product' && path !== 'is') return undefined
    const value = text?.({ product } as Message)
    return value === undefined ? undefined : quoted(value)
  }

  /** A text that the field table checks; one that is short, if it may be, is padded. */
  #text(number: number, text: (from: Message) => string | undefined, part: Part): void {
    const { is, path, width } = part
    const value = this.#valueOf(path as string)
    this.#given[`text${number}`] = text
    this.#lines.add(`x = ${value}`, 'if (x === undefined) return false')
    const asItIs = is.tag === 'value' && is.format.form?.tag === 'rest'
    if (!asItIs) this.#lines.add(`if (x.length !== ${width}) x = text${number}(from)`)
    this.#lines.add(`writer.set(${number}, x)`)
  }

  #layouts(number: number, layouts: readonly Layout[], element: Element): void {
    const [first] = layouts
    if (!first) throw new NotStraight()
    if (layouts.length > 1) {
      this.#given[`which${number}`] = element.which
      layouts.forEach((layout, index) => {
        this.#lines.add(`${index === 0 ? '' : '} else '}if (which${number}(from) === ${index}) {`)
        this.#layout(number, layout)
      })
      this.#lines.add('} else return false')
    } else this.#layout(number, first)
  }

  #layout(number: number, layout: Layout): void {
    if (layout.fixedWidth + (layout.widthMax ?? 0) >= ROOM_BYTES / 2) throw new NotStraight()
    let at = 0
    let behind = ''
    layout.parts.forEach((part, index) => {
      if (part.is.tag === 'list') {
        if (index !== layout.parts.length - 1) throw new NotStraight()
        this.#list(part, part.is.shape, part.is.optional, at)
        behind = 'z'
        return
      }
      this.#part(part, `${at}`)
      at += part.width ?? 0
      if (part.width === undefined) behind = 'z'
    })
    this.#lines.add(`writer.setText(${number}, b, ${behind === '' ? at : behind})`)
  }

  #part({ is, path, width }: Part, at: string): void {
    switch (is.tag) {
      case 'value':
        return this.#value(this.#valueOf(path as string), is.format.form, is.optional, width, at)
      case 'constant':
        this.#lines.add(`z = same(b, ${at}, ${quoted(is.text)})`)
        return
      case 'count': {
        const list = this.#valueOf(path as string)
        this.#lines.add(
          `z = number(b, ${at}, ${list} === undefined ? 0 : ${list}.length, ${is.width})`,
        )
        this.#lines.add('if (z < 0) return false')
        return
      }
      case 'list':
        throw new NotStraight()
    }
  }

  #list(
    { path = 'bills' }: Part,
    { min, max, layout }: ListShape,
    optional: boolean,
    at: number,
  ): void {
    const list = this.#valueOf(path)
    const lines = this.#lines
    const prefix = `${path}[].`
    lines.add(`x = ${list}`)
    if (optional) lines.add(`z = ${at}`, 'if (x !== undefined) {')
    else lines.add('if (x === undefined) return false')
    lines.add(`if (x.length < ${min} || x.length > ${max}) return false`)
    lines.add(`let a = ${at}`, 'for (let i = 0; i < x.length; i++) {', 'const item = x[i]')
    let from = 0
    for (const { is, path: its = '', width } of layout.parts) {
      if (is.tag !== 'value') throw new NotStraight()
      const value = `item.${its.slice(prefix.length).replace('[', '?.[')}`
      this.#value(value, is.format.form, is.optional, width, `a + ${from}`)
      from += width ?? 0
    }
    lines.add(`a += ${from}`, '}', 'z = a')
    if (optional) lines.add('} else if (0 < ' + min + ') return false')
  }

  /** The value of a path; the group that it is in is looked up once. */
  #valueOf(path: string): string {
    const [root = '', key] = path.split('.')
    if (key === undefined) return `from.${path}`
    this.#roots.add(root)
    return `${root}?.${key}`
  }

  #value(
    value: string,
    form: Form | undefined,
    optional: boolean,
    width: number | undefined,
    at: string,
  ): void {
    if (!form) throw new NotStraight()
    const lines = this.#lines
    const say = (code: string) => lines.add(`z = ${code}`, 'if (z < 0) return false')
    if (!optional) return sayForm(say, lines, form, at, value)
    lines.add(`if (${value} === undefined) {`)
    lines.add(
      width === undefined
        ? `z = ${at}`
        : `z = fill(b, ${at}, ${width}, ${form.tag === 'text' ? 0x20 : 0x30})`,
    )
    lines.add('} else {')
    sayForm(say, lines, form, at, value)
    lines.add('}')
  }
}
