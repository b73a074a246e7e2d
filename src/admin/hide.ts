import { DICTIONARY, isPath, maskValue } from '#message'
import { toHex } from '#base'
import type { DescribedField, Pack } from '#pack'

/**
 * A copy with everything masked that the dictionary marks, wherever a message or a part of one
 * stands in it: records hold messages under names of their own (`sent`, `details`, `answer`).
 */
export function hideWithin(value: unknown, path: readonly string[] = []): unknown {
  if (Array.isArray(value)) {
    const last = path.at(-1)
    const inside = last === undefined ? ['[]'] : [...path.slice(0, -1), `${last}[]`]
    return value.map(item => hideWithin(item, inside))
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return Object.fromEntries(entries.map(([key, item]) => [key, hideWithin(item, [...path, key])]))
  }
  return typeof value === 'string' ? hideText(value, path) : value
}

function hideText(value: string, path: readonly string[]): string {
  for (let from = 0; from < path.length; from++) {
    const name = path.slice(from).join('.')
    const entry = isPath(name) ? DICTIONARY[name] : undefined
    if (entry && 'mask' in entry) return maskValue(entry.mask, value)
  }
  return value
}

const HIDDEN = 0x2a

/**
 * The frame with asterisks where something is masked, and where nobody knows what it is: only what
 * the pack names and shows in clear stands there, and the lengths and bitmaps between elements.
 */
export function hiddenHex(pack: Pick<Pack, 'describe'>, frame: Uint8Array): string {
  const shown = pack.describe(frame)
  const clear = pack.describe(frame, { unsafe: true })
  const out = new Uint8Array(frame.length).fill(HIDDEN)
  const copy = (start: number, end: number): void => out.set(frame.subarray(start, end), start)
  let end = 0
  for (const [index, field] of shown.entries()) {
    const { path, offset, length } = field
    if (!path.includes('.')) {
      if (offset >= end) copy(end, offset)
      end = offset + length
    }
    if (field.value === clear[index]?.value && !hasParts(shown, index))
      copy(offset, offset + length)
  }
  return toHex(out)
}

/** Whether the next lines tell what is inside of this one. */
function hasParts(fields: readonly DescribedField[], index: number): boolean {
  return fields[index + 1]?.path.startsWith(`${fields[index]?.path}.`) ?? false
}
