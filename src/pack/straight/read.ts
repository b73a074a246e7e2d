import type { Form } from '../format-basics.ts'
import type { Layout, ListShape, Part } from '../layout.ts'
import type { Element, Plan, StraightRead, Variant } from '../plan.ts'
import * as get from './get.ts'
import { functionOf, Lines, nameOf, NotStraight, quoted } from './lines.ts'
import { BLANKS, readForm } from './read-form.ts'
import { makeObject, type Found } from './shape.ts'

/** What a plan says by itself. */
export type PlanFacts = Pick<Plan, 'kind' | 'product' | 'echoed'>

/**
 * Straight code for one variant, all choices made: each element's values are read into variables,
 * then the message is made of them at once. Undefined where a part of it goes the general way only.
 *
 *     s = m.startAt(8) + 3; e = m.endAt(8)
 *     if (e - s !== 31) return
 *     v_switcher = t.slice(s, z = textEnd(b, s, s + 7))
 *     …
 */
export function straightRead(
  plan: PlanFacts,
  variant: Variant,
  direction: 'request' | 'response',
): StraightRead | undefined {
  if (plan.echoed.length > 0) return undefined
  try {
    return new ReadMaker(plan, variant, direction).make()
  } catch (error) {
    if (error instanceof NotStraight) return undefined
    throw error
  }
}

class ReadMaker {
  readonly #plan: PlanFacts
  readonly #variant: Variant
  readonly #direction: 'request' | 'response'
  readonly #lines = new Lines()
  readonly #found = new Map<string, boolean>()
  /** Lists that are counted, by path. */
  readonly #counts = new Set<string>()

  constructor(plan: PlanFacts, variant: Variant, direction: 'request' | 'response') {
    this.#plan = plan
    this.#variant = variant
    this.#direction = direction
  }

  make(): StraightRead {
    let optionalBefore = false
    this.#variant.elements.forEach((element, index) => {
      if (element.optional && !optionalBefore) {
        optionalBefore = true
        this.#lines.add(`p = ${index}`)
      }
      this.#element(element, optionalBefore ? 'p++' : `${index}`)
    })
    this.#message()
    const variables = [...this.#found.keys()].map(nameOf)
    const roots = this.#roots().map(root => nameOf(`${root}.`))
    const counts = [...this.#counts].map(path => `n${nameOf(path)}`)
    const all = ['s', 'e', 'x', 'z', 'p', 'message', ...counts]
    const head = `let ${[...new Set([...all, ...variables, ...roots])].join(', ')}`
    const parameters = ['b', 't', 'm', 'repeat', 'outcome']
    return functionOf(parameters, `${head}\n${this.#lines.text()}`, { ...get }) as StraightRead
  }

  #element(element: Element, place: string): void {
    const { number, optional } = element
    const lines = this.#lines
    if (optional) {
      const word = (number - 1) >> 5
      const bit = 1 << (31 - ((number - 1) & 31))
      lines.add(`if ((m.word(${word}) & ${bit}) !== 0) {`)
    }
    lines.add(`// ${element.field}`)
    if (['product', 'outcome', 'kind'].includes(element.path)) {
      if (place === 'p++') lines.add('p++')
    } else this.#content(element, place)
    if (optional) lines.add('}')
  }

  #content({ part, layouts, prefix, optional, inside }: Element, place: string): void {
    if (prefix < 0 || inside || (!part && layouts.length === 0)) throw new NotStraight()
    this.#lines.add(
      `s = m.startAt(${place === 'p++' ? 'p' : place}) + ${prefix}; e = m.endAt(${place})`,
    )
    if (part) {
      if (part.width !== undefined) this.#lines.add(`if (e - s !== ${part.width}) return`)
      this.#part(part, 's', !optional)
      return
    }
    const [first] = layouts
    if (layouts.length === 1 && first) {
      this.#fits(first, 'return')
      this.#layout(first, !optional)
      return
    }
    layouts.forEach((layout, index) => {
      this.#lines.add(`${index === 0 ? '' : '} else '}if (${this.#condition(layout)}) {`)
      this.#layout(layout, false)
    })
    this.#lines.add('} else {', 'return', '}')
  }

  #fits(layout: Layout, otherwise: string): void {
    this.#lines.add(`if (!(${this.#condition(layout)})) ${otherwise}`)
  }

  /** Whether the element has the length of a layout. */
  #condition({ parts, fixedWidth, widthMax }: Layout): string {
    const list = parts.find(part => part.list)
    if (widthMax === undefined) return `e - s >= ${fixedWidth}`
    if (!list) return `e - s === ${fixedWidth}`
    const { min, max, layout } = list.list as ListShape
    const [item, more] = [layout.fixedWidth, `(e - s - ${fixedWidth})`]
    return `${more} % ${item} === 0 && ${more} >= ${min * item} && ${more} <= ${max * item}`
  }

  #layout(layout: Layout, certain: boolean): void {
    let at = 0
    // Behind a list its length counts.
    let behind = 's'
    for (const part of layout.parts) {
      if (part.is.tag === 'list') {
        this.#list(layout, part, `${behind} + ${at}`, certain)
        behind = `(e - ${layout.fixedWidth - at} - ${at})`
        continue
      }
      this.#part(part, at === 0 ? behind : `${behind} + ${at}`, certain)
      at += part.width ?? 0
    }
  }

  #part(part: Part, at: string, certain: boolean): void {
    const { is, path } = part
    switch (is.tag) {
      case 'value':
        return this.#value(part, is.format.form, { ...is, at, certain })
      case 'constant':
        this.#lines.add(`if (!t.startsWith(${quoted(is.text)}, ${at})) return`)
        return
      case 'count':
        this.#counts.add(path as string)
        this.#lines.add(
          `n${nameOf(path as string)} = number(b, ${at}, ${is.width})`,
          `if (n${nameOf(path as string)} < 0) return`,
        )
        return
      case 'list':
        throw new NotStraight()
    }
  }

  #value(
    { path, width }: Part,
    form: Form | undefined,
    how: { at: string; certain: boolean; optional: boolean; again: boolean },
  ): void {
    if (!form || path === undefined) throw new NotStraight()
    const { at, certain, optional, again } = how
    const known = this.#found.has(path)
    const name = again || known ? 'x' : nameOf(path)
    const blank = BLANKS[form.tag] ?? 0x30
    if (optional && width !== undefined && form.tag !== 'text') {
      this.#lines.add(`if (only(b, ${at}, ${width}, ${blank})) ${name} = undefined`, 'else {')
      readForm(this.#lines, form, name, at)
      this.#lines.add('}')
    } else {
      readForm(this.#lines, form, name, at)
      if (optional) this.#lines.add(`if (${name}.length === 0) ${name} = undefined`)
    }
    if (name === 'x') this.#again(path)
    this.#found.set(path, this.#found.get(path) === true || (certain && !optional))
  }

  /** The message says it twice, or another layout does: both must say the same. */
  #again(path: string): void {
    const name = nameOf(path)
    this.#lines.add(
      'if (x !== undefined) {',
      `if (${name} !== undefined && ${name} !== x) return`,
      `${name} = x`,
      '}',
    )
  }

  #list(layout: Layout, part: Part, at: string, certain: boolean): void {
    const { is } = part
    const path = part.path as string
    if (is.tag !== 'list' || this.#found.has(path)) throw new NotStraight()
    const { min, max, layout: item } = is.shape
    const width = item.fixedWidth
    const name = nameOf(path)
    const lines = this.#lines
    const count = `(e - s - ${layout.fixedWidth}) / ${width}`
    lines.add(`z = ${count}`)
    if (is.counted) lines.add(`if (n${name} !== z) return`)
    lines.add(`if (z < ${min} || z > ${max}) return`)
    if (is.optional) lines.add('if (z > 0) {')
    lines.add(`${name} = []`, `for (let a = ${at}, n = z; n > 0; n--, a += ${width}) {`)
    this.#item(item, `${path}[].`, name)
    lines.add('}')
    if (is.optional) lines.add('}')
    this.#found.set(path, certain && !is.optional)
  }

  #item(item: Layout, prefix: string, list: string): void {
    const found: Found[] = []
    let at = 0
    const lines = this.#lines
    for (const { path, width = 0, is } of item.parts) {
      if (path === undefined || is.tag !== 'value' || !is.format.form || is.again)
        throw new NotStraight()
      const { form } = is.format
      const name = nameOf(path)
      const place = `a + ${at}`
      lines.add(`let ${name}`)
      if (is.optional && form.tag !== 'text') {
        lines.add(`if (!only(b, ${place}, ${width}, ${BLANKS[form.tag] ?? 0x30})) {`)
        readForm(lines, form, name, place)
        lines.add('}')
      } else {
        readForm(lines, form, name, place)
        if (is.optional) lines.add(`if (${name}.length === 0) ${name} = undefined`)
      }
      found.push({ path, certain: !is.optional })
      at += width
    }
    lines.add('let item')
    makeObject(lines, 'item', prefix, found)
    lines.add(`${list}.push(item${found.some(one => one.certain) ? '' : ' ?? {}'})`)
  }

  /** Groups of the message that something was found of. */
  #roots(): string[] {
    const roots = [...this.#found.keys()]
      .filter(path => /^\w+\./.test(path))
      .map(path => path.slice(0, path.indexOf('.')))
    return [...new Set(roots)]
  }

  #message(): void {
    const lines = this.#lines
    const found = [...this.#found].map(([path, certain]) => ({ path, certain }))
    const top: Found[] = found.filter(({ path }) => !path.includes('.'))
    for (const root of this.#roots()) {
      const inside = found.filter(({ path }) => path.startsWith(`${root}.`))
      makeObject(lines, nameOf(`${root}.`), `${root}.`, inside)
      top.push({ path: root, certain: inside.some(({ certain }) => certain) })
    }
    const { kind, product } = this.#plan
    const own = [`kind: ${quoted(kind)}`, `direction: ${quoted(this.#direction)}`, 'repeat']
    for (const path of ['trace', 'sentAt']) {
      const one = top.find(value => value.path === path)
      const value = one?.certain ? nameOf(path) : one ? `${nameOf(path)} ?? ''` : "''"
      own.push(`${path}: ${value}`)
    }
    if (product !== undefined) own.push(`product: ${quoted(product)}`)
    if (this.#direction === 'response') own.push('outcome')
    const others = top.filter(({ path }) => path !== 'trace' && path !== 'sentAt')
    const certain = others.filter(value => value.certain)
    for (const { path } of certain) own.push(`${path}: ${nameOf(path)}`)
    lines.add(`message = { ${own.join(', ')} }`)
    for (const { path } of others.filter(value => !value.certain)) {
      lines.add(`if (${nameOf(path)} !== undefined) message.${path} = ${nameOf(path)}`)
    }
    lines.add('return message')
  }
}
