import { NadiError } from '#base'
import type { Path } from '#message'
import { type Access, type Target } from './access.ts'
import type { Cursor } from './cursor.ts'
import { readNumber, type Format } from './format-basics.ts'
import type { ValueWriter } from './value-writer.ts'

/**
 * A positional layout: parts one after another inside a data element, as the biller's document
 * prints them. Compiled from the pack's lines; knows no text any more.
 */
export type Part = {
  /** As it stands in the pack: `customer.name`, `bills`, `count of bills`. */
  readonly name: string
  /** The whole path of the dictionary; of a count, that of its list; of a constant none. */
  readonly path: Path | undefined
  /** Characters, of a list 0; undefined when it takes the rest. */
  readonly width: number | undefined
  readonly list?: ListShape
  /** What it is, for straight code. */
  readonly is: PartKind
  read(cursor: Cursor, into: Target): void
  write(writer: ValueWriter, from: Target): void
  /** Whether a message says enough for it to be written. */
  canWrite(from: Target): boolean
  /** Whether a message says this very part. */
  isSaid(from: Target): boolean
}

export type PartKind =
  | {
      readonly tag: 'value'
      readonly format: Format
      readonly optional: boolean
      readonly again: boolean
    }
  | { readonly tag: 'constant'; readonly text: string }
  /** The number of items of the list at that path. */
  | { readonly tag: 'count'; readonly width: number }
  /** A list whose count stood before it, or that goes on to the end. */
  | {
      readonly tag: 'list'
      readonly shape: ListShape
      readonly optional: boolean
      readonly counted: boolean
    }

export type ListShape = { readonly min: number; readonly max: number; readonly layout: Layout }

export type Layout = {
  readonly name: string
  readonly parts: readonly Part[]
  /** Characters without its list, and whether a value of a given length can be one of these. */
  readonly fixedWidth: number
  /** Undefined when something takes the rest of the element. */
  readonly widthMax: number | undefined
  fits(length: number): boolean
}

export function makeLayout(name: string, parts: readonly Part[]): Layout {
  const fixedWidth = parts.reduce((sum, part) => sum + (part.width ?? 0), 0)
  const open = parts.some(part => part.width === undefined)
  const list = parts.find(part => part.list)?.list
  const item = list?.layout.fixedWidth ?? 0
  return {
    name,
    parts,
    fixedWidth,
    widthMax: open ? undefined : fixedWidth + item * (list?.max ?? 0),
    fits(length) {
      const more = length - fixedWidth
      if (more < 0 || open) return more >= 0
      if (!list) return more === 0
      return more % item === 0 && more / item >= list.min && more / item <= list.max
    },
  }
}

/** Reads a whole data element. */
export function readLayout(layout: Layout, cursor: Cursor, into: Target): void {
  const { parts } = layout
  for (let i = 0; i < parts.length; i++) (parts[i] as Part).read(cursor, into)
  if (cursor.at !== cursor.end) {
    const left = `${cursor.end - cursor.at} more characters`
    throw cursor.wrong('PACK_FORMAT', '', cursor.at, `the end of ${layout.name}`, left)
  }
}

export function writeLayout(layout: Layout, writer: ValueWriter, from: Target): void {
  const { parts } = layout
  for (let i = 0; i < parts.length; i++) (parts[i] as Part).write(writer, from)
}

export function canWriteLayout(layout: Layout, from: Target): boolean {
  return layout.parts.every(part => part.canWrite(from))
}

/** Whether there is anything to write: a layout of which all may be absent can always be written. */
export function saysLayout(layout: Layout, from: Target): boolean {
  return layout.parts.some(part => part.isSaid(from))
}

export type ValueOptions = {
  readonly path: Path
  /** As it is called in errors when reading: '' when the element is just this value. */
  readonly readName: string
  /** `de48.customer.name`, `de48.bills[].period`. */
  readonly writePath: string
  /** Zeros, spaces or nothing on the wire stand for a value that is not there. */
  readonly optional: boolean
  /** The message says the same thing in an earlier field, and both must agree. */
  readonly again: boolean
}

export function valuePart(format: Format, access: Access, options: ValueOptions): Part {
  const { path, readName, writePath, optional, again } = options
  // Taken out once: a call of a variable is cheaper than a look into an object of many shapes.
  const { width, blank, read, write, partial = false } = format
  const { get, set } = access
  const blankByte = blank.charCodeAt(0)
  return {
    name: readName,
    path,
    width,
    is: { tag: 'value', format, optional, again },
    read(cursor, into) {
      if (optional && isBlank(cursor, width, blankByte)) {
        cursor.at = width === undefined ? cursor.end : cursor.take(width, readName) + width
        return
      }
      const start = cursor.at
      const value = read(cursor, readName)
      if (partial) return
      if (again) checkSame(get(into), value, cursor, start, readName)
      set(into, value)
    },
    write(writer, from) {
      const value = get(from)
      if (value !== undefined) write(writer, value as never, writePath)
      else if (!optional) throw new NadiError('PACK_MISSING_FIELD', { path: writePath })
      else if (width !== undefined) writer.fill(blankByte, width)
    },
    canWrite: from => optional || get(from) !== undefined,
    isSaid: from => get(from) !== undefined,
  }
}

function isBlank(cursor: Cursor, width: number | undefined, blankByte: number): boolean {
  const end = width === undefined ? cursor.end : cursor.at + width
  if (end > cursor.end) return false
  for (let at = cursor.at; at < end; at++) {
    if (cursor.text.charCodeAt(at) !== blankByte) return false
  }
  return true
}

function checkSame(before: unknown, now: unknown, cursor: Cursor, start: number, name: string) {
  if (before === undefined || before === now) return
  throw cursor.wrong('PACK_FORMAT', name, start, 'the same as in the field before')
}

/** Characters that are always the same and say nothing. */
export function constantPart(value: string): Part {
  const bytes = Buffer.from(value, 'latin1')
  const name = `is ${value}`
  return {
    name,
    path: undefined,
    width: value.length,
    is: { tag: 'constant', text: value },
    read(cursor) {
      const start = cursor.take(value.length, name)
      if (!cursor.text.startsWith(value, start)) {
        throw cursor.wrong('PACK_FORMAT', name, start, value)
      }
    },
    write: (writer, _from) => writer.bytes(bytes),
    canWrite: () => true,
    isSaid: () => false,
  }
}

/** The number of items of a list that follows it. */
export function countPart(
  format: { readonly width: number },
  list: Access,
  options: { readonly name: string; readonly path: Path; readonly writePath: string; slot: number },
): Part {
  const { name, path, writePath, slot } = options
  return {
    name,
    path,
    width: format.width,
    is: { tag: 'count', width: format.width },
    read(cursor) {
      cursor.counts[slot] = readNumber(cursor, format.width, name)
    },
    write(writer, from) {
      const items = list.get(from) as readonly unknown[] | undefined
      writer.digits(items?.length ?? 0, format.width, writePath)
    },
    canWrite: () => true,
    isSaid: () => false,
  }
}

export type ListOptions = {
  readonly name: string
  readonly path: Path
  readonly writePath: string
  readonly optional: boolean
  readonly shape: ListShape
  /** Where its count was put, or undefined when it goes on to the end of the element. */
  readonly slot: number | undefined
}

export function listPart(access: Access, options: ListOptions): Part {
  const { name, path, writePath, optional, shape, slot } = options
  const { min, max, layout } = shape
  const allowed = `${min} to ${max} of ${name}`
  return {
    name,
    path,
    width: 0,
    list: shape,
    is: { tag: 'list', shape, optional, counted: slot !== undefined },
    read(cursor, into) {
      const start = cursor.at
      const fitting = (cursor.end - start) / layout.fixedWidth
      const count = slot === undefined ? Math.ceil(fitting) : (cursor.counts[slot] as number)
      if (count < min || count > max) {
        throw cursor.wrong('PACK_FORMAT', name, start, allowed, `${count}`)
      }
      if (count === 0 && optional) return
      access.set(into, readItems(cursor, name, count, layout))
    },
    write(writer, from) {
      const items = access.get(from) as readonly Target[] | undefined
      const count = items?.length ?? 0
      if (!items && !optional) throw new NadiError('PACK_MISSING_FIELD', { path: writePath })
      if (count < min || count > max) {
        const detail = { path: writePath, expected: allowed, actual: `${count}` }
        throw new NadiError('CODEC_VALUE', detail)
      }
      for (let index = 0; index < count; index++) {
        writeItem(writer, layout, (items as readonly Target[])[index] as Target, index)
      }
    },
    canWrite: from => optional || access.get(from) !== undefined,
    isSaid: from => access.get(from) !== undefined,
  }
}

function readItems(cursor: Cursor, name: string, count: number, layout: Layout): Target[] {
  const items: Target[] = []
  const { parts } = layout
  cursor.list = name
  for (let index = 0; index < count; index++) {
    const item = {}
    cursor.index = index
    for (let i = 0; i < parts.length; i++) (parts[i] as Part).read(cursor, item)
    items.push(item)
  }
  cursor.list = ''
  return items
}

function writeItem(writer: ValueWriter, layout: Layout, item: Target, index: number): void {
  try {
    writeLayout(layout, writer, item)
  } catch (error) {
    if (!(error instanceof NadiError) || error.path === undefined) throw error
    const path = error.path.replace('[]', `[${index}]`)
    throw new NadiError(error.code, {
      path,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      ...(error.expected === undefined ? {} : { expected: error.expected }),
    })
  }
}
