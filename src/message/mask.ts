import { DICTIONARY, isPath, type Mask } from './dictionary.ts'

/** What a value shows of itself. */
export function maskValue(mask: Mask, value: string): string {
  switch (mask) {
    case 'name':
      return value
        .split(' ')
        .map(word => (word === '' ? '' : word.slice(0, 1) + '*'.repeat(word.length - 1)))
        .join(' ')
    case 'token':
    case 'hidden':
      return '*'.repeat(value.length)
    case 'partial':
      return value.length <= 6
        ? '*'.repeat(value.length)
        : value.slice(0, 4) + '*'.repeat(value.length - 6) + value.slice(-2)
  }
}

/** A copy with everything masked that the dictionary marks; for logs, pages and answers to operators. */
export function masked<T>(value: T, path = ''): T {
  if (Array.isArray(value)) {
    const items: unknown[] = value
    return items.map(item => masked(item, `${path}[]`)) as T
  }
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        key,
        masked(item, path ? `${path}.${key}` : key),
      ]),
    ) as T
  }
  const mask = maskOf(path)
  return mask && typeof value === 'string' ? (maskValue(mask, value) as T) : value
}

function maskOf(path: string): Mask | undefined {
  // What it means is the dialect's own affair.
  if (path.startsWith('echoed.')) return 'hidden'
  if (!isPath(path)) return undefined
  const entry = DICTIONARY[path]
  return 'mask' in entry ? entry.mask : undefined
}
