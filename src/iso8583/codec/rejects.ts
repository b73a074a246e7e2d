import { NadiError } from '#base'

// What can be wrong with a frame, in the words that errors use. None of them shows data.

export function truncated(path: string, offset: number, wanted: number, left: number): NadiError {
  const [expected, actual] = [`${wanted} bytes`, `${Math.max(0, left)}`]
  return new NadiError('CODEC_TRUNCATED', { path, offset, expected, actual })
}

export function trailing(path: string, offset: number, count: number): NadiError {
  const [expected, actual] = ['the end', `${count} more bytes`]
  return new NadiError('CODEC_TRAILING', { path, offset, expected, actual })
}

export function badLength(
  path: string,
  offset: number,
  expected: string,
  actual: number | string,
): NadiError {
  return new NadiError('CODEC_LENGTH', { path, offset, expected, actual: String(actual) })
}

export function badContent(
  path: string,
  offset: number,
  expected: string,
  actual: string,
): NadiError {
  return new NadiError('CODEC_CONTENT', { path, offset, expected, actual })
}

/** A value that cannot be written; the place in the frame being built would say nothing. */
export function badValue(path: string, expected: string, actual?: string): NadiError {
  return new NadiError('CODEC_VALUE', {
    path,
    expected,
    ...(actual === undefined ? {} : { actual }),
  })
}

/** The spec itself is wrong. */
export function badSpec(path: string, hint: string): NadiError {
  return new NadiError('CODEC_SPEC', { path, hint })
}
