import type { Field, Proof } from './model.ts'
import type { Notes } from './notes.ts'
import { resolveName, type XmlElement } from './xml.ts'
import type { SchemaReader } from './xsd.ts'

const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd'
/** WS-SecurityPolicy 1.1 to 1.3, section 5.4.1. */
const POLICIES: ReadonlySet<string> = new Set([
  'http://schemas.xmlsoap.org/ws/2005/07/securitypolicy',
  'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702',
  'http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200802',
])
/** Tokens and bindings that `security` has no word for. */
const OTHER_PROOF = /^(X509|Saml|Issued|Kerberos|SecureConversation)Token$|^A?[Ss]ymmetricBinding$/

/** What stands in the SOAP header of requests: elements that the WSDL names, and WS-Security. */
export class SoapHeaders {
  readonly #notes: Notes
  readonly #schemas: SchemaReader
  readonly #fields = new Map<string, Field>()
  #userNameToken: Proof['userNameToken']

  constructor(notes: Notes, schemas: SchemaReader) {
    this.#notes = notes
    this.#schemas = schemas
  }

  get fields(): readonly Field[] {
    return [...this.#fields.values()]
  }

  /** The part of a message that a binding puts into the header. */
  take(header: XmlElement, part: XmlElement): void {
    const element = part.attributes.get('element')
    if (element === undefined)
      return this.#notes.remark(header, 'its part has a type and no element, and is left out')
    const { namespace, name } = resolveName(part, element)
    if (namespace === WSSE && name === 'Security') {
      this.#userNameToken ??= 'text'
      return this.#notes.remark(header, 'WS-Security is taken for a user name and its password')
    }
    const root = this.#schemas.root(part, element)
    if (root) this.#fields.set(root.key, root)
  }

  /** What a policy of WS-Security asks for (section 5.4.1), beside what the bindings say. */
  proofIn(root: XmlElement): Pick<Proof, 'userNameToken'> {
    for (const element of within(root)) {
      if (!POLICIES.has(element.namespace)) continue
      if (OTHER_PROOF.test(element.name))
        this.#notes.remark(element, `${element.name} of WS-Security is not drafted`)
      if (element.name !== 'UsernameToken') continue
      const words = new Set([...within(element)].map(({ name }) => name))
      if (words.has('NoPassword'))
        this.#notes.remark(element, 'a user name without a password is not drafted')
      else this.#userNameToken = words.has('HashPassword') ? 'digest' : 'text'
    }
    return this.#userNameToken ? { userNameToken: this.#userNameToken } : {}
  }
}

function* within(element: XmlElement): Iterable<XmlElement> {
  yield element
  for (const child of element.children) yield* within(child)
}
