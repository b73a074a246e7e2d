import { NadiError } from '#base'

/** One step down: which part, and which of several of the same id, counted from 0. */
export type Step = { readonly id: string; readonly index: number }
export type PathParts = { readonly number: number; readonly steps: readonly Step[] }

const PATH = /^([1-9][0-9]{0,2})((?:\.[^.[\]]+(?:\[[0-9]{1,4}\])?)*)$/

/** `55.9F02`, `48.3`, `127.25.4`, `55.9F02[1]`. Throws CODEC_PATH. */
export function parsePath(path: string): PathParts {
  const match = PATH.exec(path)
  if (!match) {
    throw new NadiError('CODEC_PATH', { path, expected: 'ids joined by dots, as in 55.9F02' })
  }
  const steps = [...(match[2] as string).matchAll(/\.([^.[\]]+)(?:\[([0-9]+)\])?/g)].map(
    ([, id, index]) => ({ id: id as string, index: Number(index ?? 0) }),
  )
  return { number: Number(match[1]), steps }
}

export function noSuchPath(path: string): NadiError {
  return new NadiError('CODEC_PATH', { path })
}
