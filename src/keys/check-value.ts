import { NadiError } from '#base'

/** Of two check values the shorter counts: partners tell four, six, or all digits. */
export function checkSame(expected: string | undefined, actual: string): void {
  if (expected === undefined) return
  const given = expected.toUpperCase()
  if (given.length >= 4 && (actual.startsWith(given) || given.startsWith(actual))) return
  throw new NadiError('KEY_CHECK_VALUE', { expected: given, actual })
}
