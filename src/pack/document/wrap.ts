import { NadiError } from '#base'
import type { Check } from '../check.ts'
import type { CredentialSpec, SealProblem } from '../http-pack.ts'
import {
  decodeECollection,
  ECOLLECTION_WINDOW_MS,
  encodeECollection,
  withinWindow,
} from '../signing/index.ts'
import type { MapEntry } from '../source.ts'
import type { CredentialBook } from './credentials.ts'
import { readJson } from './json-reader.ts'
import { childOf, DOC_LIMITS, DocNode, type Source } from './node.ts'

/**
 * A body inside of another: BNI eCollection.
 *
 *     request   {"type":"createbilling",…}          ─▶ {"client_id":"999","data":"GkxY…"}
 *     answer    {"status":"000","data":{"trx_id":…}} ─▶ {"status":"000","data":"GkxY…"}
 *
 * It is put on when a frame is sealed, because it holds the time, and taken off whenever one is read;
 * a frame of the journal, which is not sealed, is read as it is.
 *
 *     wrap: bni-ecollection clientId secretKey
 */
export class Wrap {
  readonly #clientId: string
  readonly #secret: string

  constructor(clientId: string, secret: string) {
    this.#clientId = clientId
    this.#secret = secret
  }

  seal(body: Uint8Array, response: boolean, nowMs: number, book: CredentialBook): Uint8Array {
    const text = Buffer.from(body).toString('utf8')
    // An answer that is a status alone.
    if (response && text === '') return body
    if (!response) return Buffer.from(this.#request(text, nowMs, book))
    const source: Source = { text, base: 0, limits: DOC_LIMITS, latin1: false }
    const data = childOf(readJson(source), 'data', 1)
    if (data?.tag !== 'map') return body
    const end = text.lastIndexOf('}')
    const encoded = this.#encode(text.slice(data.at, end), nowMs, book)
    return Buffer.from(`${text.slice(0, data.at)}${JSON.stringify(encoded)}}`)
  }

  #request(text: string, nowMs: number, book: CredentialBook): string {
    const id = JSON.stringify(book.reveal(this.#clientId))
    return `{"client_id":${id},"data":${JSON.stringify(this.#encode(text, nowMs, book))}}`
  }

  #encode(json: string, nowMs: number, book: CredentialBook): string {
    const clientId = book.reveal(this.#clientId)
    const encoded = encodeECollection(json, { clientId, secret: book.reveal(this.#secret), nowMs })
    if (encoded === undefined) {
      throw new NadiError('CODEC_VALUE', { path: 'body', expected: 'characters of ASCII' })
    }
    return encoded
  }

  /** The document without its wrapping. Throws PACK_FORMAT when it cannot be taken off. */
  open(root: DocNode, book: CredentialBook): DocNode {
    const data = childOf(root, 'data', 1)
    if (data?.tag !== 'text') return root
    const inner = this.#decode(data, book)
    if (!inner)
      throw new NadiError('PACK_FORMAT', { path: 'data', expected: 'data of eCollection' })
    const source: Source = { text: inner.json, base: 0, limits: DOC_LIMITS, latin1: false }
    const document = readJson(source)
    if (childOf(root, 'client_id', 0)) return document
    const items = root.items.map(item => (item === data ? document : item))
    return new DocNode('map', '', root.names, items, root.at)
  }

  check(root: DocNode, nowMs: number, book: CredentialBook): SealProblem | undefined {
    const data = childOf(root, 'data', 1)
    // Errors come without data, and prove nothing.
    if (!data) return childOf(root, 'status', 0) ? undefined : { tag: 'missing', path: 'data' }
    if (data.tag !== 'text') return { tag: 'forged', path: 'data' }
    const sender = childOf(root, 'client_id', 0)
    if (sender && sender.text !== book.reveal(this.#clientId)) {
      return { tag: 'unknown-sender', path: 'client_id' }
    }
    const inner = this.#decode(data, book)
    if (!inner) return { tag: 'forged', path: 'data' }
    if (withinWindow(inner.atMs, nowMs, ECOLLECTION_WINDOW_MS)) return undefined
    return { tag: 'stale', path: 'data' }
  }

  #decode(data: DocNode, book: CredentialBook) {
    const keys = { clientId: book.reveal(this.#clientId), secret: book.reveal(this.#secret) }
    const found = decodeECollection(data.text, keys)
    return found?.json.startsWith('{') === true ? found : undefined
  }
}

export function compileWrap(
  check: Check,
  entry: MapEntry | undefined,
  credentials: ReadonlyMap<string, CredentialSpec>,
): Wrap | undefined {
  const line = entry && check.text(entry.value, 'wrap')
  if (!line) return undefined
  const [scheme, clientId = '', secret = '', ...more] = line.text.split(' ')
  if (scheme !== 'bni-ecollection' || secret === '' || more.length > 0) {
    return check.wrong(line.at, `"${line.text}" must read "bni-ecollection CLIENT-ID SECRET"`)
  }
  const unknown = [clientId, secret].find(name => !credentials.has(name))
  if (unknown !== undefined) return check.wrong(line.at, `"${unknown}" is not a credential`)
  return new Wrap(clientId, secret)
}
