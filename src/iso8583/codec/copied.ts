import type { EntryValue } from './composite.ts'
import type { Field } from './field.ts'
import type { Message } from './message.ts'

/** What is written for a field that cannot be copied as it lies. */
export function copiedOf(source: Message, number: number, field: Field): EntryValue {
  if (!isOpen(source, number) || source.fieldOf(number) !== field) return source.get(number) ?? ''
  return source.frame.subarray(source.startOf(number), source.endOf(number))
}

/** Whether it is the last of the source and ends there, which it may no longer do in the copy. */
export function isOpen(source: Message, number: number): boolean {
  if (!source.layout.openEnds || !source.isThere(number)) return false
  const end = source.endOf(number)
  if (end !== source.frame.length) return false
  return source.fieldOf(number)?.endsOpen(source.frame, source.startOf(number), end) === true
}
