import { CLASSES, KIND_OF_CHAR } from './content.ts'
import { CODE_PAGES } from './ebcdic.ts'
import type { FieldSpec, TextEncoding } from './spec.ts'

/** The byte that fills a value up on the wire and is not of its class; -1 where there is none. */
export function fillerOf({ content, data, pad, length }: FieldSpec): number {
  if (!(data in CODE_PAGES) || content === 'b' || content === 'any') return -1
  // ISO 8583-1: letters are left-justified and filled up with blanks.
  const blanks = length.form === 'fixed' && (content === 'a' || content === 'an')
  const char = pad?.char ?? (blanks ? ' ' : undefined)
  if (char === undefined) return -1
  const { byteOfChar } = CODE_PAGES[data as TextEncoding]
  const byte = byteOfChar[char.charCodeAt(0)] as number
  return isOfClass(char, content) ? -1 : byte
}

function isOfClass(char: string, content: FieldSpec['content']): boolean {
  return ((KIND_OF_CHAR[char.charCodeAt(0)] as number) & CLASSES[content].bits) !== 0
}
