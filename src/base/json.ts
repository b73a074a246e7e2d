/**
 * JSON in which money survives: a bigint is written as a plain JSON number of any length, and a
 * key that ends in `Minor` is read back as one (the units stand in the names, so the names decide).
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(plain(value), undefined, indent)
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, readBigint)
}

const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/**
 * The same without bigints; what holds none is not copied. A replacer would be called for every
 * key, and takes two to three times as long.
 */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return plainNumber(value)
  if (typeof value !== 'object' || value === null) return value
  return Array.isArray(value) ? plainList(value) : plainObject(value as Record<string, unknown>)
}

function plainNumber(value: bigint): unknown {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : rawJSON(value.toString())
}

function plainList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let i = 0; i < list.length; i++) {
    const item = plain(list[i])
    if (item !== list[i]) (copy ??= list.slice())[i] = item
  }
  return copy ?? list
}

function plainObject(object: Record<string, unknown>): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined
  for (const key in object) {
    const before = object[key]
    if (typeof before === 'string') continue
    const after = plain(before)
    if (after !== before) (copy ??= { ...object })[key] = after
  }
  return copy ?? object
}

function readBigint(
  this: unknown,
  key: string,
  value: unknown,
  context?: { source?: string },
): unknown {
  if (typeof value !== 'number' || !context?.source) return value
  if (key.endsWith('Minor')) return BigInt(context.source)
  return value
}
