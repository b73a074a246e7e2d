import type { FieldSpec } from './spec.ts'

/** A value as it is told: without its padding where that is no part of it. */
export function trimmed({ pad }: FieldSpec, value: string): string {
  return pad?.trim ? strip(value, pad.side, pad.char) : value
}

/** The value without what only fills it up, which is not of its class: blanks, unless pad says. */
export function withoutFill({ pad }: FieldSpec, value: string): string {
  return strip(value, pad?.side ?? 'right', pad?.char ?? ' ')
}

function strip(value: string, side: 'left' | 'right', char: string): string {
  let start = 0
  let end = value.length
  if (side === 'left') while (start < end && value[start] === char) start++
  else while (end > start && value[end - 1] === char) end--
  return value.slice(start, end)
}

/** The value filled up to so many characters as its field has it. */
export function paddedTo(characters: number, spec: FieldSpec, value: string): string {
  const { char, side } = spec.pad as NonNullable<FieldSpec['pad']>
  if (side === 'right') return value.padEnd(characters, char)
  // A sign stays in front of the zeros, and one that is no character of its own is not counted.
  const zoned = spec.data === 'zoned-ebcdic'
  const sign = /^[CD-]/.test(value) && (zoned || spec.content === 'x+n') ? value[0] : ''
  const digits = value.slice(sign?.length)
  return sign + digits.padStart(characters - (zoned ? 0 : (sign?.length ?? 0)), char)
}

/** How many units a value may have, for errors. */
export function sizeText({ size, sizeMin }: { size: number; sizeMin: number }): string {
  if (sizeMin === size) return `exactly ${size}`
  return sizeMin > 0 ? `${sizeMin} to ${size}` : `at most ${size}`
}
