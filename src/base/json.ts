/**
 * JSON in which money survives: a bigint is written as a plain JSON number of any length, and a
 * key that ends in `Minor` is read back as one (the units stand in the names, so the names decide).
 */
export function toJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, writeBigint, indent)
}

export function fromJson(text: string): unknown {
  return JSON.parse(text, readBigint)
}

const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

function writeBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJSON(value.toString()) : value
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
