/**
 * The keys of objects as they stood in the last document. A counterpart's documents resemble one
 * another, so most objects have the same keys as last time, need only be compared with them, and
 * share one list of names, of which it is known that no name stands in it twice.
 */
export class KnownKeys {
  /** By how many keys stood in the document before the object; the newest first. */
  readonly #objects: (KnownObject | undefined)[] = []

  at(before: number): KnownObject | undefined {
    return this.#objects[before]
  }

  learn(before: number, names: readonly string[]): void {
    if (before >= KNOWN_OBJECTS_MAX || names.length > KNOWN_NAMES_MAX) return
    if (names.some(name => name.length > KNOWN_CHARS_MAX || /["\\]/.test(name))) return
    const own = names.map(interned)
    const quoted = own.map(name => `"${name}":`)
    const other = without(this.#objects[before], KNOWN_ALIKE_MAX - 1)
    this.#objects[before] = { names: own, quoted, other }
  }
}

/** `other`: what else stood there, in documents before. */
export type KnownObject = {
  readonly names: string[]
  readonly quoted: readonly string[]
  readonly other: KnownObject | undefined
}

/** The first so many of a chain. */
function without(object: KnownObject | undefined, left: number): KnownObject | undefined {
  return object && left > 0 ? { ...object, other: without(object.other, left - 1) } : undefined
}

/** Of a chain the first that has the same first names, and behind them what `wanted` says. */
export function alternative(
  { names, other }: KnownObject,
  count: number,
  wanted: (one: KnownObject) => boolean,
): KnownObject | undefined {
  for (let one = other; one; one = one.other) {
    let same = 0
    while (same < count && one.names[same] === names[same]) same++
    if (same === count && wanted(one)) return one
  }
  return undefined
}

export const goesOn =
  (text: string, at: number, count: number) =>
  ({ quoted }: KnownObject): boolean => {
    const next = quoted[count]
    return next !== undefined && text.startsWith(next, at)
  }

export const endsAt =
  (count: number) =>
  ({ names }: KnownObject): boolean =>
    names.length === count

/** Requests of several kinds take turns at the side that serves. */
const KNOWN_ALIKE_MAX = 4

const KNOWN_OBJECTS_MAX = 256
const KNOWN_NAMES_MAX = 64
const KNOWN_CHARS_MAX = 64

/** The same text as the engine keeps it for property names: two such are compared by their address. */
export function interned(name: string): string {
  return Object.keys({ [name]: 0 })[0] as string
}
