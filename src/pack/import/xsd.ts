import { type Field, IMPORT_LIMITS, tidy } from './model.ts'
import type { Notes } from './notes.ts'
import type { Prefixes } from './prefixes.ts'
import { childrenOf, resolveName, type XmlElement } from './xml.ts'

export const XSD = 'http://www.w3.org/2001/XMLSchema'
const SOAP_ENCODING = 'http://schemas.xmlsoap.org/soap/encoding/'

const STEPS_MAX = 5_000
/** Types, groups and compositors around a field. */
const AROUND_MAX = 64

type Schema = { readonly element: XmlElement; readonly namespace: string }
type Declared = { readonly element: XmlElement; readonly schema: Schema }

/**
 * The types of a WSDL: elements and what they hold, as fields. Bounded in depth and count; a type
 * within itself ends there, with a remark.
 */
export class SchemaReader {
  readonly #notes: Notes
  readonly #prefixes: Prefixes
  readonly #elements = new Map<string, Declared>()
  readonly #types = new Map<string, Declared>()
  readonly #groups = new Map<string, Declared>()
  #count = 0
  #steps = 0

  constructor(notes: Notes, schemas: readonly XmlElement[], prefixes: Prefixes) {
    this.#notes = notes
    this.#prefixes = prefixes
    for (const element of schemas) this.#declare(element)
  }

  #declare(element: XmlElement): void {
    const schema = { element, namespace: element.attributes.get('targetNamespace') ?? '' }
    const kinds = {
      element: this.#elements,
      complexType: this.#types,
      simpleType: this.#types,
      group: this.#groups,
      attributeGroup: this.#groups,
    }
    for (const child of element.children) {
      if (child.namespace !== XSD) continue
      const table = (kinds as Record<string, Map<string, Declared> | undefined>)[child.name]
      const name = child.attributes.get('name')
      if (name !== undefined && table instanceof Map) {
        table.set(`${schema.namespace} ${name}`, { element: child, schema })
      } else if (['import', 'include', 'redefine'].includes(child.name)) {
        const location = child.attributes.get('schemaLocation')
        if (location !== undefined)
          this.#notes.remark(child, `${tidy(location)} is another file, and is not read`)
      }
    }
  }

  /** A message begins: its fields are counted anew. */
  begin(): void {
    this.#count = 0
    this.#steps = 0
  }

  /** A global element, the root of a document. */
  root(from: XmlElement, name: string): Field | undefined {
    const { namespace, name: local } = resolveName(from, name)
    const found = this.#elements.get(`${namespace} ${local}`)
    if (found) return this.#element(found, true, [])
    this.#notes.remark(
      from,
      `element ${tidy(name)} is not in this file: what it holds is not known`,
    )
    return undefined
  }

  /** A part of an rpc message: a name without namespace, of a type. */
  part(from: XmlElement, name: string, type: string): Field {
    return this.#typed(from, name, name, type, { required: true, many: false }, [])
  }

  #element({ element, schema }: Declared, global: boolean, around: readonly string[]): Field {
    const { attributes } = element
    const ref = attributes.get('ref')
    const often = timesOf(element)
    if (ref !== undefined) {
      const { namespace, name } = resolveName(element, ref)
      const found = this.#elements.get(`${namespace} ${name}`)
      if (found) return { ...this.#element(found, true, around), ...often }
      this.#notes.remark(
        element,
        `element ${tidy(ref)} is not in this file: what it holds is not known`,
      )
      return this.#leaf(element, this.#prefixes.key(namespace, name), name, 'xsd:string', often)
    }
    const name = attributes.get('name') ?? ''
    const form = attributes.get('form') ?? schema.element.attributes.get('elementFormDefault')
    const qualified = global || form === 'qualified'
    const key = qualified ? this.#prefixes.key(schema.namespace, name) : name
    const type = attributes.get('type')
    if (type !== undefined) return this.#typed(element, key, name, type, often, around)
    const inner = element.children.find(
      child => child.namespace === XSD && /^(complex|simple)Type$/.test(child.name),
    )
    if (inner) return this.#ofType({ element: inner, schema }, key, name, 'a type', often, around)
    return this.#leaf(element, key, name, 'xsd:anyType', often)
  }

  #typed(
    from: XmlElement,
    key: string,
    name: string,
    type: string,
    often: Often,
    around: readonly string[],
  ): Field {
    const { namespace, name: local } = resolveName(from, type)
    if (namespace === XSD || namespace === SOAP_ENCODING)
      return this.#leaf(from, key, name, `xsd:${local}`, often)
    const id = `type ${namespace} ${local}`
    const found = this.#types.get(`${namespace} ${local}`)
    if (!found) {
      this.#notes.remark(from, `type ${tidy(type)} is not in this file, and is taken for a text`)
      return this.#leaf(from, key, name, type, often)
    }
    const depth = around.filter(one => one.startsWith('type ')).length
    if (around.includes(id) || depth >= IMPORT_LIMITS.fieldDepthMax) {
      const why = around.includes(id) ? 'holds itself' : 'is nested too deep'
      this.#notes.remark(from, `type ${tidy(type)} ${why}: "${tidy(name)}" ends here`)
      return { ...this.#leaf(from, key, name, type, often), type: 'map' }
    }
    return { ...this.#ofType(found, key, name, type, often, [...around, id]), line: from.line }
  }

  #leaf(from: XmlElement, key: string, name: string, typeName: string, often: Often): Field {
    if (++this.#count > IMPORT_LIMITS.fieldsMax)
      this.#notes.refuseSize(from, `at most ${IMPORT_LIMITS.fieldsMax} fields in a message`)
    return {
      key,
      name,
      type: kindOfType(typeName),
      typeName,
      ...often,
      fields: [],
      line: from.line,
    }
  }

  #ofType(
    declared: Declared,
    key: string,
    name: string,
    typeName: string,
    often: Often,
    around: readonly string[],
  ): Field {
    const { element } = declared
    const leaf = this.#leaf(element, key, name, typeName, often)
    if (element.name === 'simpleType') return { ...leaf, ...this.#simple(element, around) }
    const depth = [...around, `${element.line}`]
    if (depth.length > AROUND_MAX) {
      this.#notes.remark(element, `"${tidy(name)}" is nested too deep, and ends here`)
      return { ...leaf, type: 'map' }
    }
    return { ...leaf, type: 'map', fields: this.#content(declared, depth, false) }
  }

  #simple(element: XmlElement, around: readonly string[]): Partial<Field> {
    const [restriction] = childrenOf(element, XSD, 'restriction')
    if (!restriction) {
      this.#notes.remark(element, 'a union or list of simple types is taken for a text')
      return { type: 'text' }
    }
    const listed = childrenOf(restriction, XSD, 'enumeration')
    const values = listed.slice(0, 200).map(one => one.attributes.get('value') ?? '')
    const base = restriction.attributes.get('base') ?? 'xsd:string'
    const under = this.#typed(restriction, '', '', base, ONCE, [...around, `${element.line}`])
    return { type: under.type, typeName: base, ...(values.length > 0 && { values }) }
  }

  /** What a complex type, a group or a compositor holds. */
  #content({ element, schema }: Declared, around: readonly string[], maybe: boolean): Field[] {
    if (around.length > AROUND_MAX) return []
    // Groups within groups may be many without a single field.
    if (++this.#steps > STEPS_MAX) this.#notes.refuseSize(element, 'types of a usual size')
    const less = (fields: Field[]) =>
      maybe ? fields.map(field => ({ ...field, required: false })) : fields
    const inside = [...around, `${element.line} ${element.name}`]
    return element.children.flatMap((child): Field[] => {
      if (child.namespace !== XSD) return []
      const within = { element: child, schema }
      switch (child.name) {
        case 'element':
          return less([this.#element(within, false, around)])
        case 'attribute':
          return less(this.#attribute(child))
        case 'sequence':
        case 'all':
        case 'complexContent':
          return this.#content(within, inside, maybe)
        case 'choice':
          this.#notes.remark(
            child,
            'a choice: each of its elements is drafted as one that may be missing',
          )
          return this.#content(within, inside, true)
        case 'group':
        case 'attributeGroup':
          return this.#referred(child, this.#groups, child.attributes.get('ref'), inside, maybe)
        case 'extension':
          return [
            ...this.#referred(child, this.#types, child.attributes.get('base'), inside, maybe),
            ...this.#content(within, inside, maybe),
          ]
        case 'restriction':
          return this.#restricted(within, inside, maybe)
        case 'simpleContent':
          this.#notes.remark(child, "a text with attributes: the text is drafted, as '#'")
          return [this.#leaf(child, '#', 'text', 'xsd:string', ONCE)]
        case 'any':
        case 'anyAttribute':
          this.#notes.remark(child, 'anything may stand here, and is left out')
          return []
        default:
          return []
      }
    })
  }

  #referred(
    from: XmlElement,
    table: ReadonlyMap<string, Declared>,
    name: string | undefined,
    around: readonly string[],
    maybe: boolean,
  ): Field[] {
    if (name === undefined) return []
    const { namespace, name: local } = resolveName(from, name)
    const id = `${namespace} ${local}`
    const found = table.get(id)
    if (found && !around.includes(id)) return this.#content(found, [...around, id], maybe)
    const why = found ? 'holds itself' : 'is not in this file'
    this.#notes.remark(from, `${tidy(name)} ${why}, and is left out`)
    return []
  }

  /** Arrays of SOAP's encoding (SOAP 1.1, section 5.4.2) say their items' type in an attribute. */
  #restricted({ element, schema }: Declared, around: readonly string[], maybe: boolean): Field[] {
    const [attribute] = childrenOf(element, XSD, 'attribute')
    const entry = [...(attribute?.attributes ?? [])].find(([name]) => name.endsWith(':arrayType'))
    if (!attribute || !entry) return this.#content({ element, schema }, around, maybe)
    const type = entry[1].replace(/\[[\d,]*\]$/, '')
    const item = this.#typed(
      attribute,
      'item',
      'item',
      type,
      { required: false, many: true },
      around,
    )
    return [item]
  }

  #attribute(element: XmlElement): Field[] {
    const name = element.attributes.get('name')
    if (name === undefined) return []
    const required = element.attributes.get('use') === 'required'
    const type = element.attributes.get('type') ?? 'xsd:string'
    return [this.#leaf(element, `@${name}`, name, type, { required, many: false })]
  }
}

type Often = { readonly required: boolean; readonly many: boolean }
const ONCE: Often = { required: true, many: false }

function timesOf({ attributes }: XmlElement): Often {
  const max = attributes.get('maxOccurs') ?? '1'
  return { required: attributes.get('minOccurs') !== '0', many: max !== '1' && max !== '0' }
}

function kindOfType(type: string): Field['type'] {
  const local = type.replace(/^.*:/, '')
  if (/^(decimal|double|float)$/.test(local)) return 'decimal'
  if (/^(u?nsigned)?(int|integer|long|short|byte)$|^(non)?(positive|negative)Integer$/i.test(local))
    return 'integer'
  return local === 'boolean' ? 'boolean' : 'text'
}
