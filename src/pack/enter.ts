import type { IsoMessage } from '#iso8583'
import type { Cursor } from './cursor.ts'
import type { Element } from './plan.ts'

/** Puts the cursor on an element's text: in the frame where it stands there, else on its value. */
export function enterElement(
  cursor: Cursor,
  { number, prefix, field }: Element,
  fields: IsoMessage,
  place: number,
  text: string,
): void {
  const start = fields.startAt(place)
  if (prefix >= 0) return cursor.enter(text, start + prefix, fields.endAt(place), field)
  const value = fields.get(number) ?? ''
  cursor.enter(value, 0, value.length, field, start)
}
