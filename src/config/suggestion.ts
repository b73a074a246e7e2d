import { nearest } from '#base'

/** ` (did you mean "port"?); there are host, port`, or what of it can be said. */
export function suggestion(word: string, known: readonly string[]): string {
  const meant = nearest(word, known)
  const question = meant === undefined ? '' : ` (did you mean "${meant}"?)`
  return `${question}; there ${known.length === 0 ? 'are none' : `are ${shortList(known)}`}`
}

const SHOWN_MAX = 20

/** A list for a sentence; long ones are cut. */
export function shortList(words: readonly string[]): string {
  if (words.length <= SHOWN_MAX) return words.join(', ')
  return `${words.slice(0, SHOWN_MAX).join(', ')} and ${words.length - SHOWN_MAX} more`
}
