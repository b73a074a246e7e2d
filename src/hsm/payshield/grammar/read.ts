import { fromLatin1 } from '#base'
import { HostRefusal } from '../host-codes.ts'
import type { Values } from './command.ts'
import type { Counted, Field, Flag, Message, Single, Tail, When } from './field.ts'
import { LMK_DELIMITER, TRAILER, TRAILER_LENGTH_MAX } from './field.ts'
import { endOfKey } from './key-text.ts'
import { accountLength, bareLength, isAes, type Scope, textOf } from './scope.ts'

/** What was read behind the code: the fields, the LMK that was named, the trailer to give back. */
export type Read = {
  readonly values: Values
  readonly lmk: string | undefined
  readonly trailer: string | undefined
}

/** Reads the text behind a command or response code. Throws HostRefusal. */
export type Reader = (text: string, request?: Values) => Read

type Cursor = Scope & { readonly text: string; at: number }
type ReadField = (cursor: Cursor) => void

/** Every choice is made here, once; reading looks nothing up in the table. */
export function compileReader(fields: readonly Field[]): Reader {
  const body = fields
    .filter(field => field.kind !== 'tail')
    .map((field, index, all) => compileField(field, all.slice(index + 1)))
  const tails = fields.filter(field => field.kind === 'tail').map(compileTail)
  return (text, request = {}) => {
    const cursor: Cursor = { text, at: 0, own: {}, request }
    for (const read of body) read(cursor)
    const lmk = readTails(cursor, tails)
    return { values: cursor.own, lmk, trailer: readTrailer(cursor) }
  }
}

function compileField(field: Field, after: readonly Field[]): ReadField {
  switch (field.kind) {
    case 'when':
      return compileWhen(field)
    case 'tail':
      return compileTail(field).read
    default: {
      const read = compileSingle(field, after)
      return cursor => {
        const value = read(cursor)
        if (value !== undefined) cursor.own[field.name] = value
      }
    }
  }
}

function compileWhen({ field, values, fields }: When): ReadField {
  const inner = fields.map((one, index) => compileField(one, fields.slice(index + 1)))
  return cursor => {
    if (!values.includes(textOf(cursor, field))) return
    for (const read of inner) read(cursor)
  }
}

type TailReader = { readonly delimiter: string; readonly read: ReadField }

function compileTail({ delimiter, fields }: Tail): TailReader {
  const inner = fields.map((one, index) => compileField(one, fields.slice(index + 1)))
  return {
    delimiter,
    read: cursor => {
      for (const read of inner) read(cursor)
    },
  }
}

/** Tails in any order, each once, and among them the LMK. */
function readTails(cursor: Cursor, tails: readonly TailReader[]): string | undefined {
  const left = [...tails]
  let lmk: string | undefined
  while (cursor.at < cursor.text.length) {
    const delimiter = cursor.text.charAt(cursor.at)
    if (delimiter === LMK_DELIMITER && lmk === undefined) {
      cursor.at++
      lmk = take(cursor, 2, /^\d\d$/, '13', 'lmk')
      continue
    }
    const index = left.findIndex(tail => tail.delimiter === delimiter)
    if (index < 0) break
    cursor.at++
    left.splice(index, 1)[0]?.read(cursor)
  }
  return lmk
}

function readTrailer(cursor: Cursor): string | undefined {
  const { text, at } = cursor
  if (at === text.length) return undefined
  const trailer = text.slice(at + 1)
  if (text.charAt(at) !== TRAILER || trailer.length > TRAILER_LENGTH_MAX) {
    throw new HostRefusal('15', 'trailer', at)
  }
  return trailer
}

const DIGITS = /^\d*$/
const HEX = /^[0-9A-Fa-f]*$/
const PRINTABLE = /^[\x20-\x7e]*$/

type ReadValue = (cursor: Cursor) => Values[string]

function compileSingle(field: Single, after: readonly Field[]): ReadValue {
  const { name, bad = '15' } = field
  switch (field.kind) {
    case 'digits':
      return cursor => take(cursor, field.length, DIGITS, bad, name)
    case 'hex':
      return cursor => take(cursor, field.length, HEX, bad, name)
    case 'text':
      return cursor => take(cursor, field.length, PRINTABLE, bad, name)
    case 'scheme':
      return cursor => take(cursor, 1, /^[ZUTXYSR]$/, bad, name)
    case 'choice': {
      const { length } = field.values[0] ?? ''
      const allowed = new Set<string>(field.values)
      return cursor => {
        const value = take(cursor, length, PRINTABLE, bad, name).toUpperCase()
        if (!allowed.has(value)) throw new HostRefusal(bad, name, cursor.at - length)
        return value
      }
    }
    case 'flag':
      return cursor => readFlag(cursor, field)
    case 'until':
      return cursor => readUntil(cursor, field.delimiter, field.lengthMax, bad, name)
    case 'account':
      return cursor => {
        const length = accountLength(cursor, field.formats)
        if (length === undefined) return readUntil(cursor, ';', 19, bad, name)
        return take(cursor, length, DIGITS, bad, name)
      }
    case 'key':
      return cursor => readKey(cursor, bareLength(cursor, field.bare, left(cursor)), name)
    case 'cipher':
      return cursor => take(cursor, isAes(cursor, field.key) ? 32 : 16, HEX, bad, name)
    case 'pin': {
      const behind = lengthOf(after)
      const allowed = field.clear ? /^\d+F*$/ : DIGITS
      return cursor => readPin(cursor, behind, allowed, name)
    }
    case 'rest-hex':
      return cursor => {
        const found = /^[0-9A-Fa-f]*/.exec(cursor.text.slice(cursor.at))?.[0] ?? ''
        if (found === '') throw new HostRefusal('15', name, cursor.at)
        cursor.at += found.length
        return found
      }
    case 'counted':
      return cursor => readCounted(cursor, field)
    case 'message':
      return cursor => readMessage(cursor, field)
    case 'to-end':
      return cursor => fromLatin1(takeRest(cursor))
    case 'keys': {
      const { count, bare } = field
      return cursor => {
        const length = typeof count === 'number' ? count : Number(textOf(cursor, count))
        const digits = bareLength(cursor, bare, left(cursor))
        return Array.from({ length }, () => readKey(cursor, digits, name))
      }
    }
    case 'chain':
      return cursor => {
        const length = Number(textOf(cursor, field.count))
        return Array.from({ length }, () => readLink(cursor, name))
      }
  }
}

/** The next characters; `bad` when they are there and are not what they should be. */
function take(
  cursor: Cursor,
  length: number,
  allowed: RegExp,
  bad: HostRefusal['code'],
  name: string,
): string {
  const { text, at } = cursor
  const found = text.slice(at, at + length)
  if (found.length < length) throw new HostRefusal('15', name, at)
  if (!allowed.test(found)) throw new HostRefusal(bad, name, at)
  cursor.at = at + length
  return found
}

function left({ text, at }: Cursor): string {
  return text.slice(at)
}

function takeRest(cursor: Cursor): string {
  const found = cursor.text.slice(cursor.at)
  cursor.at = cursor.text.length
  return found
}

function readFlag(cursor: Cursor, { values, before }: Flag): string | undefined {
  const { text, at } = cursor
  const found = text.charAt(at)
  if (!values.includes(found)) return undefined
  if (before !== undefined && !before.includes(text.charAt(at + 1) || '\0')) return undefined
  cursor.at++
  return found
}

function readUntil(
  cursor: Cursor,
  delimiter: string,
  lengthMax: number,
  bad: HostRefusal['code'],
  name: string,
): string {
  const { text, at } = cursor
  const end = text.slice(at, at + lengthMax + 1).indexOf(delimiter)
  if (end < 0) throw new HostRefusal('15', name, at)
  const found = take(cursor, end, DIGITS, bad, name)
  cursor.at += delimiter.length
  return found
}

function readKey(cursor: Cursor, bare: number, name: string): string {
  const { text, at } = cursor
  cursor.at = endOfKey(text, at, bare, name)
  return text.slice(at, cursor.at)
}

/** What ends the fields of a request: the LMK, or the trailer. */
const ENDS = new RegExp(`[${LMK_DELIMITER}${TRAILER}]`)

const PIN_LENGTH_MIN = 4
const PIN_LENGTH_MAX = 13

function readPin(cursor: Cursor, behind: number, allowed: RegExp, name: string): string {
  const { text, at } = cursor
  const stop = text.slice(at).search(ENDS)
  const length = (stop < 0 ? text.length : at + stop) - at - behind
  if (length < PIN_LENGTH_MIN || length > PIN_LENGTH_MAX) throw new HostRefusal('15', name, at)
  return take(cursor, length, allowed, '15', name)
}

function readCounted(cursor: Cursor, field: Counted): Uint8Array {
  const { digits, radix, short, name } = field
  const length = readLength(cursor, digits, radix, '15', name)
  if (field.expandable && isExpanded(cursor, length)) return takeHex(cursor, 2 * length, name)
  return fromLatin1(takeData(cursor, length, short, name))
}

function readMessage(cursor: Cursor, field: Message): Uint8Array {
  const { format, name, bad = '06' } = field
  const length = readLength(cursor, 4, 16, bad, name)
  if (field.expandable && isExpanded(cursor, length)) return takeHex(cursor, 2 * length, name)
  if (textOf(cursor, format) !== '1') return fromLatin1(takeData(cursor, length, bad, name))
  if (length % 2 !== 0) throw new HostRefusal(bad, name, cursor.at)
  if (cursor.at + length > cursor.text.length) throw new HostRefusal(bad, name, cursor.at)
  return takeHex(cursor, length, name)
}

/** Whether twice as many hexadecimal digits are left as there should be bytes. */
function isExpanded({ text, at }: Cursor, length: number): boolean {
  const ends = (index: number) => index === text.length || ENDS.test(text.charAt(index))
  const end = at + 2 * length
  return (
    length > 0 &&
    end <= text.length &&
    ends(end) &&
    !ends(at + length) &&
    HEX.test(text.slice(at, end))
  )
}

function takeData(
  cursor: Cursor,
  length: number,
  short: HostRefusal['code'],
  name: string,
): string {
  const { text, at } = cursor
  if (at + length > text.length) throw new HostRefusal(short, name, at)
  cursor.at = at + length
  return text.slice(at, cursor.at)
}

function takeHex(cursor: Cursor, length: number, name: string): Uint8Array {
  return new Uint8Array(Buffer.from(take(cursor, length, HEX, '15', name), 'hex'))
}

function readLink(cursor: Cursor, name: string): string {
  return takeData(cursor, readLength(cursor, 4, 10, '15', name), '80', name)
}

function readLength(
  cursor: Cursor,
  digits: number,
  radix: 10 | 16,
  bad: HostRefusal['code'],
  name: string,
): number {
  return Number.parseInt(take(cursor, digits, radix === 10 ? DIGITS : HEX, bad, name), radix)
}

/** Of fields whose length is always the same. */
function lengthOf(fields: readonly Field[]): number {
  let length = 0
  for (const field of fields) {
    if (field.kind === 'digits' || field.kind === 'hex' || field.kind === 'text') {
      length += field.length
    } else if (field.kind === 'account' && field.formats.length === 0) length += 12
    else throw new TypeError(`nothing of variable length (${field.kind}) may stand behind a PIN`)
  }
  return length
}
