import { nearest } from '#base'

/** `; did you mean "hidden"?`, or else all that there is. */
export function suggest(word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  if (meant !== undefined) return `; did you mean "${meant}"?`
  return `; there ${known.length === 0 ? 'are none' : `are ${known.join(', ')}`}`
}
