import { alternative, endsAt, goesOn, KnownKeys, type KnownObject } from './known-keys.ts'
import { DocNode, NO_ITEMS, NO_NAMES, scalar, wrongAt, type Source } from './node.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** More than any amount needs; longer ones are an attack on whoever computes with them. */
const NUMBER_CHARS_MAX = 40
/** Up to here a key is looked for among the others one by one. */
const KEYS_FEW = 16

/**
 * JSON (RFC 8259), strictly: no key twice in an object, nothing after the value, no surrogate
 * without its pair, limits on depth and count. Numbers stay text.
 */
export function readJson(source: Source, known: KnownKeys = new KnownKeys()): DocNode {
  return new JsonReader(source, known).document()
}

class JsonReader {
  readonly #source: Source
  readonly #text: string
  readonly #known: KnownKeys
  #at = 0
  #nodes = 0
  #keys = 0
  /** The object that was read last by known keys has come to its end, and which it was like. */
  #ended = false
  #alike: KnownObject | undefined

  constructor(source: Source, known: KnownKeys) {
    this.#source = source
    this.#text = source.text
    this.#known = known
  }

  document(): DocNode {
    this.#blanks()
    const node = this.#value(0)
    this.#blanks()
    if (this.#at < this.#text.length) throw this.#wrong('the end of the document')
    return node
  }

  #value(depth: number): DocNode {
    if (++this.#nodes > this.#source.limits.nodesMax) throw this.#limit('values')
    const at = this.#at
    const code = this.#text.charCodeAt(at)
    if (code === QUOTE) return scalar('text', this.#string(), at)
    if (code === OPEN_BRACE) return this.#object(depth)
    if (code === OPEN_BRACKET) return this.#array(depth)
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return this.#number()
    for (const [word, tag] of WORDS) {
      if (this.#text.startsWith(word, at)) {
        this.#at += word.length
        return scalar(tag, word, at)
      }
    }
    throw this.#wrong('a value')
  }

  #object(depth: number): DocNode {
    const at = this.#at
    if (depth >= this.#source.limits.depthMax) throw this.#limit('levels')
    this.#at++
    this.#blanks()
    if (this.#text.charCodeAt(this.#at) === CLOSE_BRACE) {
      this.#at++
      return new DocNode('map', '', NO_NAMES, NO_ITEMS, at)
    }
    const items: DocNode[] = []
    const before = this.#keys
    const known = this.#known.at(before)
    const same = known ? this.#asKnown(known, items, depth) : 0
    const { names: alike } = (known && this.#alike) ?? { names: NO_NAMES }
    if (same > 0 && same === alike.length && this.#ended) {
      return new DocNode('map', '', alike, items, at)
    }
    const names = alike.slice(0, same)
    if (same === 0 || !this.#ended) this.#unknown(names, items, depth)
    this.#known.learn(before, names)
    return new DocNode('map', '', names, items, at)
  }

  /** Reads keys and values for as long as the keys are those of a time before; says how many they were. */
  #asKnown(first: KnownObject, items: DocNode[], depth: number): number {
    const text = this.#text
    let known: KnownObject = first
    let count = 0
    this.#ended = false
    while (!this.#ended) {
      const key = known.quoted[count]
      if (key === undefined || !text.startsWith(key, this.#at)) {
        const other = alternative(known, count, goesOn(text, this.#at, count))
        if (!other) break
        known = other
        continue
      }
      this.#at += key.length
      this.#keys++
      if (text.charCodeAt(this.#at) <= 0x20) this.#blanks()
      items.push(this.#value(depth + 1))
      count++
      this.#ended = this.#endOf(CLOSE_BRACE)
    }
    const ends = known.names.length === count || !this.#ended
    this.#alike = ends ? known : (alternative(known, count, endsAt(count)) ?? known)
    return count
  }

  #unknown(names: string[], items: DocNode[], depth: number): void {
    let many: Set<string> | undefined
    for (;;) {
      const at = this.#at
      const name = this.#key()
      if (names.length > KEYS_FEW) many ??= new Set(names)
      if (many ? many.has(name) : names.includes(name)) throw this.#twice(at)
      many?.add(name)
      names.push(name)
      items.push(this.#value(depth + 1))
      if (this.#endOf(CLOSE_BRACE)) return
    }
  }

  /** A key and its colon. */
  #key(): string {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#wrong('a key in quotes')
    const name = this.#string()
    this.#keys++
    this.#blanks()
    if (this.#text.charCodeAt(this.#at) !== COLON) throw this.#wrong('a colon')
    this.#at++
    this.#blanks()
    return name
  }

  /** It means one thing to us and another to whoever reads the other one. It may say anything, so it is not told. */
  #twice(at: number) {
    return wrongAt(this.#source, 'DOCUMENT_SYNTAX', at, { path: 'body', expected: 'each key once' })
  }

  #array(depth: number): DocNode {
    const at = this.#at
    if (depth >= this.#source.limits.depthMax) throw this.#limit('levels')
    this.#at++
    this.#blanks()
    if (this.#text.charCodeAt(this.#at) === CLOSE_BRACKET) {
      this.#at++
      return new DocNode('list', '', NO_NAMES, NO_ITEMS, at)
    }
    const items: DocNode[] = []
    for (;;) {
      items.push(this.#value(depth + 1))
      if (this.#endOf(CLOSE_BRACKET)) return new DocNode('list', '', NO_NAMES, items, at)
    }
  }

  /** Whether the list or object ends here; else stands behind the comma. */
  #endOf(close: number): boolean {
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#blanks()
    const code = this.#text.charCodeAt(this.#at)
    if (code === close) {
      this.#at++
      return true
    }
    if (code !== COMMA) throw this.#wrong(`"," or "${String.fromCharCode(close)}"`)
    this.#at++
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#blanks()
    return false
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return text.slice(start, at)
      }
      if (code === BACKSLASH) return this.#escaped(start, at)
      if (code < 0x20) {
        this.#at = at
        throw this.#wrong('no control character in a string')
      }
    }
    this.#at = text.length
    throw this.#wrong('a closing quote')
  }

  #escaped(start: number, first: number): string {
    const text = this.#text
    let out = text.slice(start, first)
    let at = first
    for (;;) {
      const code = text.charCodeAt(at)
      if (code === QUOTE) {
        this.#at = at + 1
        return this.#wellFormed(out, start)
      }
      if (code === BACKSLASH) {
        this.#at = at
        out += this.#escape(at)
        at += text[at + 1] === 'u' ? 6 : 2
        continue
      }
      // NaN is the end of the text.
      if (!(code >= 0x20)) {
        this.#at = at
        throw this.#wrong('a closing quote')
      }
      let end = at + 1
      while (end < text.length && isPlain(text.charCodeAt(end))) end++
      out += text.slice(at, end)
      at = end
    }
  }

  #escape(at: number): string {
    const letter = this.#text[at + 1] ?? ''
    const plain = ESCAPES[letter]
    if (plain !== undefined) return plain
    const hex = this.#text.slice(at + 2, at + 6)
    if (letter === 'u' && /^[0-9a-fA-F]{4}$/.test(hex))
      return String.fromCharCode(parseInt(hex, 16))
    throw this.#wrong('an escape of JSON')
  }

  #wellFormed(text: string, at: number): string {
    if (text.isWellFormed()) return text
    this.#at = at
    throw this.#wrong('surrogates in pairs')
  }

  #number(): DocNode {
    const at = this.#at
    NUMBER.lastIndex = at
    const found = NUMBER.exec(this.#text)?.[0]
    if (found === undefined) throw this.#wrong('a number')
    if (found.length > NUMBER_CHARS_MAX) throw this.#limit('digits')
    this.#at += found.length
    return scalar('number', found, at)
  }

  #blanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
      this.#at++
    }
  }

  #wrong(expected: string) {
    return wrongAt(this.#source, 'DOCUMENT_SYNTAX', this.#at, { path: 'body', expected })
  }

  #limit(of: 'levels' | 'values' | 'digits') {
    const { depthMax, nodesMax } = this.#source.limits
    const max = { levels: depthMax, values: nodesMax, digits: NUMBER_CHARS_MAX }[of]
    const expected = `at most ${max} ${of}`
    return wrongAt(this.#source, 'DOCUMENT_LIMIT', this.#at, { path: 'body', expected })
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

const WORDS = [
  ['true', 'boolean'],
  ['false', 'boolean'],
  ['null', 'null'],
] as const

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

function isPlain(code: number): boolean {
  return code !== QUOTE && code !== BACKSLASH && code >= 0x20
}
