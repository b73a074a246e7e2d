import { NadiError } from '#base'
import type { Target } from '../access.ts'
import { encodeForm } from './form.ts'
import type { Context, Shape } from './value.ts'
import { says, textOf } from './write-shape.ts'

/** A body of one level as a form or a query. */
export function writeForm(shape: Shape, from: Target, context: Context): string {
  const pairs: string[] = []
  for (const part of shape.parts) {
    if (part.tag === 'inside') {
      if (part.optional && !says(part, from, context)) continue
      pairs.push(`${encodeForm(part.name)}=${encodeForm(part.write(from, context))}`)
    } else if (part.tag === 'leaf') {
      const text = textOf(part, from, context)
      if (text === undefined) continue
      const secret = part.value.credential !== undefined && text.startsWith('\u0001')
      pairs.push(`${encodeForm(part.name)}=${secret ? text : encodeForm(text)}`)
    } else throw new NadiError('CODEC_VALUE', { path: part.path, expected: 'one level in a form' })
  }
  return pairs.join('&')
}
