import { isNadiError } from '#base'
import type { IsoCodec, IsoPath } from '#iso8583'
import type { MessageKind } from '#message'
import type { Check } from './check.ts'
import { isKind, KINDS } from './codes.ts'
import type { Mtis } from './plan.ts'
import type { MapEntry, MapTree, Tree } from './source.ts'

/** What a message must say in one place to be of a kind. */
export type Mark = {
  /** `40`, `48.PI` */
  readonly path: string
  readonly at: IsoPath
  readonly values: readonly string[]
  /** A value only has to begin so. */
  readonly begins: boolean
}

export type KindSpec = Mtis & {
  /** What tells it from other kinds with the same types; none where the type alone says it. */
  readonly marks: readonly Mark[]
  readonly repeatMarks: readonly Mark[]
}

/**
 * `kinds:`, the message types of each kind of message, and what else tells them apart.
 *
 *     kinds:
 *       echo:     { request: 2800, response: 2810, where: 40 is 301 }
 *       reversal: { request: 2400, response: 2410, repeat: 2401, repeatResponse: 2411 }
 *       payment:  { request: 0200, response: 0210, where: 3 is 170000 or 171000 }
 *       inquiry:  { request: 0200, response: 0210, where: 3 starts 38 and 18 is 6021 }
 *       advice:   { request: 0220, response: 0230, repeat: 0221, repeatResponse: 0231,
 *                   where: 3 is 172000, repeatWhere: 3 is 173000 }
 */
export function compileKinds(
  check: Check,
  { value }: MapEntry,
  codec: IsoCodec | undefined,
): Map<MessageKind, KindSpec> {
  const kinds = new Map<MessageKind, KindSpec>()
  const taken = new Map<string, { kind: string; marks: readonly Mark[] }[]>()
  for (const [kind, { at, value: tree }] of check.map(value, 'kinds')?.entries ?? []) {
    if (!isKind(kind)) {
      check.wrong(at, `"${kind}" is not a kind of message; there are ${KINDS.join(', ')}`)
      continue
    }
    const spec = compileKind(check, tree, codec)
    if (!spec) continue
    kinds.set(kind, spec)
    for (const [mti, marks] of typesOf(spec)) {
      const others = taken.get(mti) ?? []
      const other = others.find(one => !differ(one.marks, marks))
      if (other)
        check.wrong(at, `"${[mti, ...marks.map(textOf)].join(' ')}" is already ${other.kind}`)
      taken.set(mti, [...others, { kind, marks }])
    }
  }
  return kinds
}

/** Each message type with the marks that it is known by. */
export function typesOf(spec: KindSpec): (readonly [mti: string, marks: readonly Mark[]])[] {
  const { request, response, repeat, repeatResponse, marks, repeatMarks } = spec
  return [
    [request, marks],
    [response, marks],
    ...(repeat === undefined ? [] : [[repeat, repeatMarks] as const]),
    ...(repeatResponse === undefined ? [] : [[repeatResponse, repeatMarks] as const]),
  ]
}

export function isMarked({ values, begins }: Mark, value: string): boolean {
  return begins ? values.some(one => value.startsWith(one)) : values.includes(value)
}

function textOf({ path, values, begins }: Mark): string {
  return `${path} ${begins ? 'starts' : 'is'} ${values.join(' or ')}`
}

/** Whether no message can have both. */
function differ(some: readonly Mark[], others: readonly Mark[]): boolean {
  return some.some(one => {
    const other = others.find(({ path }) => path === one.path)
    return other !== undefined && !one.values.some(value => overlap(one, value, other))
  })
}

function overlap(one: Mark, value: string, other: Mark): boolean {
  if (isMarked(other, value)) return true
  return one.begins && other.values.some(its => its.startsWith(value))
}

function compileKind(check: Check, tree: Tree, codec: IsoCodec | undefined): KindSpec | undefined {
  const map = check.map(tree, 'a kind')
  if (!map) return undefined
  check.only(map, ['request', 'response', 'repeat', 'repeatResponse', 'where', 'repeatWhere'])
  if (!check.need(map, 'request') || !check.need(map, 'response')) return undefined
  const [request, response, repeat, repeatResponse] = [
    mtiAt(check, map, 'request'),
    mtiAt(check, map, 'response'),
    mtiAt(check, map, 'repeat'),
    mtiAt(check, map, 'repeatResponse'),
  ]
  if (request === undefined || response === undefined) return undefined
  const marks = marksAt(check, map, 'where', codec)
  const repeatMarks = map.entries.has('repeatWhere')
    ? marksAt(check, map, 'repeatWhere', codec)
    : marks
  return { request, response, repeat, repeatResponse, marks, repeatMarks }
}

function mtiAt(check: Check, map: MapTree, key: string): string | undefined {
  const entry = map.entries.get(key)
  const text = entry && check.text(entry.value, key)
  if (!text || /^\d{4}$/.test(text.text)) return text?.text
  return check.wrong(text.at, `"${text.text}" is not a message type of 4 digits`)
}

const MARK = /^(\S+) (is|starts) (\S+(?: or \S+)*)$/

function marksAt(check: Check, map: MapTree, key: string, codec: IsoCodec | undefined): Mark[] {
  const entry = map.entries.get(key)
  if (!entry) return []
  const text = check.text(entry.value, key)?.text ?? ''
  const marks: Mark[] = []
  for (const part of text.split(' and ')) {
    const [, path, how, values] = MARK.exec(part) ?? []
    if (path === undefined || values === undefined) {
      check.wrong(
        entry.value.at,
        `"${text}" must read like "40 is 301", "3 starts 38" or "3 is 170000 or 171000"`,
      )
      continue
    }
    const at = pathIn(check, entry.value.at, path, codec)
    if (at) marks.push({ path, at, values: values.split(' or '), begins: how === 'starts' })
  }
  return marks
}

/** The place in a frame, or undefined, and told, when the field table has none. */
export function pathIn(
  check: Check,
  where: string,
  path: string,
  codec: IsoCodec | undefined,
): IsoPath | undefined {
  try {
    return codec?.path(path)
  } catch (error) {
    if (!isNadiError(error, 'CODEC_PATH')) throw error
    return check.wrong(where, `element ${path} is not in the field table`)
  }
}
