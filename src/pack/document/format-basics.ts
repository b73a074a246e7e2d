import type { ValueKind } from '#message'

/**
 * How one value is written as text. What depends on the kind of document (quotes, escapes, elements)
 * is the writer's.
 */
export type Format = {
  readonly kinds: readonly ValueKind[]
  /** For the error when it is not so. */
  readonly expected: string
  /** Characters, where it is always as many. */
  readonly width?: number
  /** Undefined when the text is not such a value. */
  read(text: string): unknown
  /** Undefined when the value cannot be said so. */
  write(value: never): string | undefined
}

/** A loop is twice as fast as a regular expression here, and this is what most values are. */
export function isDigits(text: string, max: number): boolean {
  const { length } = text
  if (length === 0 || length > max) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code < 0x30 || code > 0x39) return false
  }
  return true
}
