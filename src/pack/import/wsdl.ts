import { writeDraft } from './draft.ts'
import type { Content, Field, ImportOptions, Operation, PackDraft } from './model.ts'
import { IMPORT_LIMITS, tidy } from './model.ts'
import { Notes } from './notes.ts'
import { targetOf } from './target.ts'
import { childrenOf, readDescription, resolveName, type XmlElement } from './xml.ts'
import { Prefixes } from './prefixes.ts'
import { SoapHeaders } from './soap-headers.ts'
import { SchemaReader, XSD } from './xsd.ts'

const WSDL = 'http://schemas.xmlsoap.org/wsdl/'
/** WSDL 1.1, section 3, and the binding of SOAP 1.2 to it. */
const BINDINGS: ReadonlyMap<string, Content> = new Map([
  ['http://schemas.xmlsoap.org/wsdl/soap/', 'soap 1.1'],
  ['http://schemas.xmlsoap.org/wsdl/soap12/', 'soap 1.2'],
])

/**
 * The first draft of a pack from a WSDL 1.1: document/literal and rpc, over SOAP 1.1 or 1.2.
 * Throws DOCUMENT_SYNTAX and DOCUMENT_LIMIT with file and line; what could not be said, and what
 * was guessed, is in the remarks.
 */
export function importWsdl(file: string, text: string, options: ImportOptions): PackDraft {
  const root = readDescription(file, text)
  const notes = new Notes(file)
  if (root.name !== 'definitions' || root.namespace !== WSDL)
    notes.refuse(root, 'the definitions of a WSDL 1.1')
  return new WsdlReader(notes, root).draft(options)
}

class WsdlReader {
  readonly #notes: Notes
  readonly #root: XmlElement
  readonly #prefixes = new Prefixes()
  readonly #schemas: SchemaReader
  readonly #headers: SoapHeaders
  readonly #target: string

  constructor(notes: Notes, root: XmlElement) {
    this.#notes = notes
    this.#root = root
    this.#target = root.attributes.get('targetNamespace') ?? ''
    const schemas = childrenOf(root, WSDL, 'types').flatMap(one => childrenOf(one, XSD, 'schema'))
    this.#schemas = new SchemaReader(notes, schemas, this.#prefixes)
    this.#headers = new SoapHeaders(notes, this.#schemas)
    for (const one of childrenOf(root, WSDL, 'import'))
      this.#notes.remark(one, `${tidy(one.attributes.get('location') ?? 'an import')} is not read`)
  }

  draft(options: ImportOptions): PackDraft {
    const { binding, soap, content } = this.#binding()
    const server = this.#address(binding)
    const call = `POST ${targetOf(server)}`
    const style = soap.attributes.get('style') ?? 'document'
    const operations = childrenOf(binding, WSDL, 'operation')
    const { operationsMax } = IMPORT_LIMITS
    if (operations.length > operationsMax)
      this.#notes.refuseSize(binding, `at most ${operationsMax} operations`)
    const described = operations.flatMap(
      one => this.#operation(one, soap, binding, { call, style, content }) ?? [],
    )
    const [service] = childrenOf(this.#root, WSDL, 'service')
    return writeDraft(
      {
        file: this.#notes.file,
        title: service?.attributes.get('name') ?? this.#root.attributes.get('name') ?? '',
        language: 'WSDL 1.1',
        content,
        namespaces: this.#prefixes.all,
        server,
        operations: described,
        proof: { seals: [], ...this.#headers.proofIn(this.#root) },
        soapHeader: this.#headers.fields,
        notes: this.#notes,
      },
      options,
    )
  }

  /** The first binding to SOAP; 1.1 where there are both. */
  #binding(): { binding: XmlElement; soap: XmlElement; content: Content } {
    const bindings = childrenOf(this.#root, WSDL, 'binding')
    for (const [namespace, content] of BINDINGS) {
      for (const binding of bindings) {
        const [soap] = childrenOf(binding, namespace, 'binding')
        if (!soap) continue
        for (const other of bindings) {
          const name = tidy(other.attributes.get('name') ?? '')
          if (other !== binding) this.#notes.remark(other, `binding "${name}" is left out`)
        }
        return { binding, soap, content }
      }
    }
    return this.#notes.refuse(this.#root, 'a binding to SOAP 1.1 or 1.2')
  }

  #address(binding: XmlElement): string | undefined {
    for (const service of childrenOf(this.#root, WSDL, 'service')) {
      for (const port of childrenOf(service, WSDL, 'port')) {
        const { name } = resolveName(port, port.attributes.get('binding') ?? '')
        if (name !== binding.attributes.get('name')) continue
        const address = port.children.find(
          child => child.name === 'address' && BINDINGS.has(child.namespace),
        )
        const location = address?.attributes.get('location')
        if (location !== undefined) return location
      }
    }
    this.#notes.remark(binding, 'no port of a service says where it is')
    return undefined
  }

  #operation(
    element: XmlElement,
    soap: XmlElement,
    binding: XmlElement,
    { call, style, content }: { call: string; style: string; content: Content },
  ): Operation | undefined {
    const name = element.attributes.get('name') ?? ''
    const [bound] = childrenOf(element, soap.namespace, 'operation')
    const rpc = (bound?.attributes.get('style') ?? style) === 'rpc'
    const type = this.#named('portType', binding, binding.attributes.get('type'))
    const abstract = type && childrenOf(type, WSDL, 'operation').find(sameName(name))
    const [input] = abstract ? childrenOf(abstract, WSDL, 'input') : []
    const [output] = abstract ? childrenOf(abstract, WSDL, 'output') : []
    if (!input || !output) {
      this.#notes.remark(
        element,
        `operation "${tidy(name)}" has no input and output, and is left out`,
      )
      return undefined
    }
    for (const fault of abstract ? childrenOf(abstract, WSDL, 'fault') : []) {
      const text = `fault "${tidy(fault.attributes.get('name') ?? '')}": say in codes what "fault Client" and "fault Server" mean`
      this.#notes.remark(fault, text)
    }
    const request = this.#message(element, 'input', input, soap, rpc, name)
    const response = this.#message(element, 'output', output, soap, rpc, `${name}Response`)
    if (!request || !response) return undefined
    const action = bound?.attributes.get('soapAction') ?? ''
    const headers = this.#action(bound ?? element, action, content)
    return {
      name,
      line: element.line,
      call,
      content,
      answers: content,
      headers,
      headerFields: [],
      request: [request],
      response: [response],
    }
  }

  #action(
    element: XmlElement,
    action: string,
    content: Content,
  ): readonly (readonly [string, string])[] {
    const plain = /^[\x21-\x7e]*$/.test(action) && !action.includes('"')
    if (!plain)
      this.#notes.remark(element, 'its soapAction cannot stand in a header, and is left out')
    if (content === 'soap 1.1') return [['soapaction', `is "${plain ? action : ''}"`]]
    // SOAP 1.2 part 2, section 6.5.2: it is a parameter of the content type.
    const type = `is application/soap+xml; charset=utf-8; action="${action}"`
    return plain && action !== '' ? [['content-type', type]] : []
  }

  /** What stands in the Body: the element of document style, or the wrapper of rpc. */
  #message(
    operation: XmlElement,
    side: 'input' | 'output',
    used: XmlElement,
    soap: XmlElement,
    rpc: boolean,
    wrapper: string,
  ): Field | undefined {
    this.#schemas.begin()
    const message = this.#named('message', used, used.attributes.get('message'))
    if (!message) {
      this.#notes.remark(used, 'its message is not in this file, so the operation is left out')
      return undefined
    }
    const [bound] = childrenOf(operation, WSDL, side)
    const [body] = bound ? childrenOf(bound, soap.namespace, 'body') : []
    for (const header of bound ? childrenOf(bound, soap.namespace, 'header') : [])
      this.#header(header, side)
    const named = body?.attributes.get('parts')?.split(' ')
    const parts = childrenOf(message, WSDL, 'part').filter(
      part => named?.includes(part.attributes.get('name') ?? '') ?? true,
    )
    return rpc ? this.#rpc(message, body, parts, wrapper) : this.#document(message, parts)
  }

  #header(header: XmlElement, side: 'input' | 'output'): void {
    if (side === 'output') return this.#notes.remark(header, 'a header of answers is not read')
    const message = this.#named('message', header, header.attributes.get('message'))
    const part =
      message &&
      childrenOf(message, WSDL, 'part').find(sameName(header.attributes.get('part') ?? ''))
    if (part) this.#headers.take(header, part)
    else this.#notes.remark(header, 'its part is not in this file, and is left out')
  }

  #document(message: XmlElement, parts: readonly XmlElement[]): Field | undefined {
    const [part] = parts
    const element = part?.attributes.get('element')
    if (part && element !== undefined && parts.length === 1) {
      const root = this.#schemas.root(part, element)
      if (root?.type === 'map') return root
      if (root) this.#notes.remark(part, 'the element in the Body holds a text alone')
    }
    this.#notes.remark(
      message,
      'its Body is not one element with elements: the operation is left out',
    )
    return undefined
  }

  #rpc(
    message: XmlElement,
    body: XmlElement | undefined,
    parts: readonly XmlElement[],
    wrapper: string,
  ): Field {
    if (body?.attributes.get('use') === 'encoded') {
      const text =
        'encoded: values are sent without xsi:type; where they ask for it, see protocols/pdam-nusoap'
      this.#notes.remark(body, text)
    }
    const namespace = body?.attributes.get('namespace') ?? this.#target
    const fields = parts.map(part => {
      const name = part.attributes.get('name') ?? ''
      return this.#schemas.part(part, name, part.attributes.get('type') ?? 'xsd:string')
    })
    const [only] = fields
    if (
      fields.length === 1 &&
      only?.type === 'text' &&
      /xml|json|param|data|input/i.test(only.name)
    ) {
      const text = `"${tidy(only.name)}" is one text; a document inside of it is described as "${tidy(only.name)} as xml" (protocols/pdam-nusoap)`
      this.#notes.remark(message, text)
    }
    return {
      key: this.#prefixes.key(namespace, wrapper),
      name: wrapper,
      type: 'map',
      typeName: 'rpc',
      required: true,
      many: false,
      fields,
      line: message.line,
    }
  }

  #named(kind: string, from: XmlElement, name: string | undefined): XmlElement | undefined {
    if (name === undefined) return undefined
    return childrenOf(this.#root, WSDL, kind).find(sameName(resolveName(from, name).name))
  }
}

function sameName(name: string): (element: XmlElement) => boolean {
  return ({ attributes }) => attributes.get('name') === name
}
