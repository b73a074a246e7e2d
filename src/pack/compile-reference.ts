import type { Message } from '#message'
import type { Check } from './check.ts'
import { compileLayout, type LayoutSources } from './compile-layouts.ts'
import type { Now } from './format-times.ts'
import { writeLayout } from './layout.ts'
import type { MapEntry } from './source.ts'
import { ValueWriter } from './value-writer.ts'

export type MakeReference = (message: Message) => string

/**
 * `reference:`, the layout of the number that a payment is known by (`reference.own`). It is made
 * when the payment is sent for the first time; what asks about the payment later says it again,
 * under an audit number of its own.
 *
 *     reference: retrieval-reference
 *     layouts:
 *       retrieval-reference: [sentAt YDDDhh, trace n6]
 */
export function compileReference(
  check: Check,
  { value }: MapEntry,
  layouts: LayoutSources,
  nowMs: Now | undefined,
): MakeReference | undefined {
  const name = check.text(value, 'reference')
  if (!name) return undefined
  const paths = { before: new Set<never>(), own: new Set<never>(), partial: new Set<never>() }
  const context = { check, layouts, nowMs, field: 'reference', prefix: '', ...paths }
  const layout = compileLayout(context, name.text, name.at)
  if (!layout) return undefined
  const writer = new ValueWriter()
  return message => {
    writer.begin()
    writeLayout(layout, writer, message)
    return Buffer.from(writer.characters.subarray(0, writer.length)).toString('latin1')
  }
}
