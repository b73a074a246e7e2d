import { between, chance, NadiError, type Random } from '#base'
import type { Meaning } from '#message'
import type { Act, Manner } from './scenarios.ts'

/**
 * Trouble set at run time, for all numbers: what a field test would call a bad day. Shares are
 * probabilities from 0 to 1, drawn for each business request.
 */
export type Chaos = {
  /** Every answer waits so long: one figure, or from and to. */
  readonly delayMs: number | readonly [from: number, to: number]
  /** Answers bear this code, in `codeShare` of the cases. */
  readonly code: string
  readonly codeShare: number
  /** No answer; in half of the cases the request was not done either. */
  readonly drop: number
  readonly duplicate: number
  readonly garble: number
  /** The connection is cut; in half of the cases the request was not done either. */
  readonly cut: number
}

export const NO_CHAOS: Chaos = {
  delayMs: 0,
  code: '',
  codeShare: 1,
  drop: 0,
  duplicate: 0,
  garble: 0,
  cut: 0,
}

const SHARES = ['drop', 'duplicate', 'garble', 'cut'] as const
const MANNER: Record<(typeof SHARES)[number], Manner> = {
  drop: 'silence',
  duplicate: 'twice',
  garble: 'garbled',
  cut: 'cut',
}

/** How long this answer waits, besides what its scenario says. */
export function drawDelay({ delayMs }: Chaos, random: Random): number {
  return typeof delayMs === 'number' ? delayMs : between(random, delayMs[0], delayMs[1])
}

/**
 * How one request fares in place of its scenario, or undefined when it is spared. `meaningOf` is
 * the dialect's: a code that says no is the truth (nothing was done), an unknown outcome may be either.
 */
export function drawAct(
  chaos: Chaos,
  random: Random,
  meaningOf: (code: string) => Meaning,
): Act | undefined {
  const { code } = chaos
  if (code !== '' && chance(random, chaos.codeShare)) {
    const meaning = meaningOf(code)
    const done = meaning === 'approved' || (meaning === 'unknown' && chance(random, 0.5))
    return { say: { code }, ...(!done && { work: false }) }
  }
  for (const share of SHARES) {
    if (chaos[share] === 0 || !chance(random, chaos[share])) continue
    const lost = (share === 'drop' || share === 'cut') && chance(random, 0.5)
    return { send: MANNER[share], ...(lost && { work: false }) }
  }
  return undefined
}

/** Reads what an operator sent; keys that are not given are off. */
export function parseChaos(value: unknown): Chaos {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong('', 'an object')
  const given = value as Record<string, unknown>
  const unknown = Object.keys(given).find(key => !Object.hasOwn(NO_CHAOS, key))
  if (unknown !== undefined) wrong(unknown, Object.keys(NO_CHAOS).join(', '))
  for (const key of [...SHARES, 'codeShare'] as const) {
    const share = given[key]
    if (share === undefined) continue
    if (typeof share !== 'number' || !(share >= 0 && share <= 1)) wrong(key, 'a number from 0 to 1')
  }
  const { delayMs, code } = given
  if (delayMs !== undefined && !isDelay(delayMs)) {
    wrong('delayMs', 'milliseconds up to an hour, or [from, to]')
  }
  if (code !== undefined && !(typeof code === 'string' && /^[0-9A-Za-z]{0,8}$/.test(code))) {
    wrong('code', 'a response code of the dialect')
  }
  return { ...NO_CHAOS, ...given }
}

const HOUR_MS = 3_600_000

function isDelay(value: unknown): boolean {
  if (typeof value === 'number') return value >= 0 && value <= HOUR_MS
  if (!Array.isArray(value) || value.length !== 2) return false
  const [from, to] = value as unknown[]
  return isDelay(from) && isDelay(to) && Number(from) <= Number(to)
}

function wrong(path: string, expected: string): never {
  throw new NadiError('ADMIN_BAD_REQUEST', { path: `scenario.${path}`, expected })
}
