import { NadiError } from '#base'

/** One data object: two digits of id, two of length, then so many characters. */
export type QrObject = {
  readonly id: string
  readonly value: string
  /** Where its id stands in the whole code, in characters. */
  readonly offset: number
}

const HEAD = 4
export const VALUE_CHARS_MAX = 99

/**
 * Cuts a text into its objects. `path` is that of the template which the text is the value of, empty
 * for the code itself, and `base` is where it begins. Throws QRIS_SYNTAX, and QRIS_VALUE for an id
 * that comes twice.
 */
export function readObjects(text: string, path: string, base: number): Map<string, QrObject> {
  const objects = new Map<string, QrObject>()
  for (let at = 0; at < text.length;) {
    const offset = base + at
    const [id, length] = [text.slice(at, at + 2), text.slice(at + 2, at + HEAD)]
    if (!/^\d\d$/.test(id)) throw syntax(path, offset, 'two digits of an id')
    const place = below(path, id)
    if (!/^\d\d$/.test(length)) throw syntax(place, offset + 2, 'two digits of a length')
    const end = at + HEAD + Number(length)
    if (length === '00') throw syntax(place, offset + 2, 'a length of 01 to 99')
    if (end > text.length) throw syntax(place, offset + 2, `${length} characters behind it`)
    if (objects.has(id))
      throw new NadiError('QRIS_VALUE', { path: place, offset, expected: 'each id once' })
    objects.set(id, { id, value: text.slice(at + HEAD, end), offset })
    at = end
  }
  return objects
}

/** Throws QRIS_VALUE when it is empty or too long for its length. */
export function writeObject(path: string, value: string): string {
  const { length } = value
  if (length === 0 || length > VALUE_CHARS_MAX)
    throw new NadiError('QRIS_VALUE', { path, expected: `1 to ${VALUE_CHARS_MAX} characters` })
  return path.slice(-2) + String(length).padStart(2, '0') + value
}

export function below(path: string, id: string): string {
  return path === '' ? id : `${path}.${id}`
}

function syntax(path: string, offset: number, expected: string): NadiError {
  return new NadiError('QRIS_SYNTAX', { ...(path !== '' && { path }), offset, expected })
}
