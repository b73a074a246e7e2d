/** How many keys in flight an unmatched answer is held against; explaining must stay cheap. */
const COMPARED_MAX = 1000

/**
 * Why an answer's key matched nothing, beside the key in flight that differs from it in the fewest
 * parts: a trace number without its zeros, a terminal padded otherwise, a date of tomorrow.
 */
export function explainUnmatched(key: string, inFlight: Iterable<string>): UnmatchedReason {
  const parts = partsOf(key)
  let nearest: string | undefined
  let fewest = parts.length
  let compared = 0
  for (const other of inFlight) {
    if (++compared > COMPARED_MAX) break
    const differing = differences(parts, partsOf(other)).length
    if (differing >= fewest) continue
    fewest = differing
    nearest = other
  }
  if (nearest === undefined) {
    return { key, nearest, differs: compared === 0 ? 'nothing is in flight' : 'every part' }
  }
  return { key, nearest, differs: differences(parts, partsOf(nearest)).join('; ') }
}

export type UnmatchedReason = {
  readonly key: string
  readonly nearest: string | undefined
  readonly differs: string
}

/** Keys are written with something between their parts that is neither letter nor digit. */
function partsOf(key: string): string[] {
  return key.split(/[^0-9A-Za-z]/)
}

function differences(parts: readonly string[], others: readonly string[]): string[] {
  const found: string[] = []
  const count = Math.max(parts.length, others.length)
  for (let i = 0; i < count; i++) {
    const [part, other] = [parts[i], others[i]]
    if (part !== other)
      found.push(`part ${i + 1}: answer ${part ?? 'none'}, request ${other ?? 'none'}`)
  }
  return found
}
