import { digest, HASHES, type Hash } from './digest.ts'
import { minify } from './minify.ts'

/** What a string to sign may be made of. Header names are lower case. */
export type Signed = {
  readonly method: string
  /** Path and query. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly token: string
  readonly nonce: string
  /** By name; throws when it is not there. */
  readonly credential: (name: string) => string
}

type Piece = (from: Signed) => string | Uint8Array

/** A compiled string to sign. */
export type Template = {
  readonly bytes: (from: Signed) => Uint8Array
  readonly credentials: readonly string[]
  readonly headers: readonly string[]
}

export const TEMPLATE_WORDS =
  '{method}, {target}, {path}, {query}, {token}, {nonce}, {body}, {minified}, {sha256 body}, {sha256 minified}, {header NAME}, {credential NAME}'

/**
 * A string to sign as its counterpart describes it (SNAP, symmetric):
 *
 *     {method}:{target}:{token}:{sha256 minified}:{header x-timestamp}
 *
 * It is put together as bytes: a body need not be text. Returns what is wrong with it otherwise.
 */
export function compileTemplate(text: string): Template | string {
  const pieces: Piece[] = []
  const credentials: string[] = []
  const headers: string[] = []
  let literalFrom = 0
  for (const match of text.matchAll(/\{([^{}]*)\}/g)) {
    const before = text.slice(literalFrom, match.index)
    if (before !== '') pieces.push(() => before)
    literalFrom = match.index + match[0].length
    const words = (match[1] as string).split(' ')
    const piece = compilePiece(words)
    if (!piece) return `"${match[0]}" is no part of a string to sign; there are ${TEMPLATE_WORDS}`
    if (words[0] === 'credential') credentials.push(words[1] as string)
    if (words[0] === 'header') headers.push((words[1] as string).toLowerCase())
    pieces.push(piece)
  }
  const rest = text.slice(literalFrom)
  if (rest !== '') pieces.push(() => rest)
  return { bytes: from => join(pieces, from), credentials, headers }
}

const PLAIN: Readonly<Record<string, Piece>> = {
  method: from => from.method,
  target: from => from.target,
  path: from => from.target.split('?', 1)[0] as string,
  query: from => from.target.slice((from.target.split('?', 1)[0] as string).length + 1),
  token: from => from.token,
  nonce: from => from.nonce,
  body: from => from.body,
  minified: from => minify(from.body),
}

function compilePiece([word = '', name = '', ...more]: readonly string[]): Piece | undefined {
  if (more.length > 0) return undefined
  if (name === '') return Object.hasOwn(PLAIN, word) ? PLAIN[word] : undefined
  if (word === 'header') {
    const header = name.toLowerCase()
    return from => from.headers[header] ?? ''
  }
  if (word === 'credential') return from => from.credential(name)
  const hash = HASHES.find(one => one === word)
  const inner = name === 'body' || name === 'minified' ? PLAIN[name] : undefined
  return hash && inner && (from => hashed(hash, inner(from)))
}

/** Hexadecimal in lower case; an empty body hashes as the empty string. */
function hashed(hash: Hash, data: string | Uint8Array): string {
  return digest(hash, data)
}

function join(pieces: readonly Piece[], from: Signed): Uint8Array {
  return Buffer.concat(
    pieces.map(piece => {
      const value = piece(from)
      return typeof value === 'string' ? Buffer.from(value) : value
    }),
  )
}
