/**
 * Optional blocks of an X9.143 header: two characters of name, two hexadecimal digits of length that
 * count themselves and the name. They end where a block of the cipher ends, with PB as filler.
 */
const HEADER_LENGTH = 16
const ALIGNED = 16
/** Name and length alone. */
const OPTIONAL_MIN = 4

/** The header with a label (LB), which says in words what the key is. */
export function withLabel(header: string, label: string): string {
  const labelled = optional('LB', label)
  const filler = padding(labelled.length)
  const count = filler === '' ? '01' : '02'
  return header.slice(0, 12) + count + header.slice(14, HEADER_LENGTH) + labelled + filler
}

/** Where the header of a block ends; undefined when its lengths contradict one another. */
export function headerEnd(block: string): number | undefined {
  let at = HEADER_LENGTH
  if (!/^\d\d$/.test(block.slice(12, 14))) return undefined
  for (let left = Number(block.slice(12, 14)); left > 0; left--) {
    const length = Number.parseInt(block.slice(at + 2, at + 4), 16)
    if (!(length >= OPTIONAL_MIN)) return undefined
    at += length
  }
  return at <= block.length ? at : undefined
}

/** The label of a block; undefined where it has none. */
export function labelIn(block: string): string | undefined {
  const count = Number(block.slice(12, 14))
  for (let i = 0, at = HEADER_LENGTH; i < count; i++) {
    const length = Number.parseInt(block.slice(at + 2, at + 4), 16)
    if (!(length >= OPTIONAL_MIN)) return undefined
    if (block.startsWith('LB', at)) return block.slice(at + 4, at + length)
    at += length
  }
  return undefined
}

function padding(length: number): string {
  let left = (ALIGNED - (length % ALIGNED)) % ALIGNED
  if (left === 0) return ''
  if (left < OPTIONAL_MIN) left += ALIGNED
  return optional('PB', '0'.repeat(left - OPTIONAL_MIN))
}

function optional(id: string, data: string): string {
  const length = (data.length + OPTIONAL_MIN).toString(16).toUpperCase().padStart(2, '0')
  return id + length + data
}
