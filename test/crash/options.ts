import { parseArgs } from 'node:util'

export type CrashOptions = {
  readonly kills: number
  readonly seed: number
  readonly json: boolean
  /** What the partners try for together. */
  readonly paymentsPerSecond: number
  /** Leaves the folder with logs and books for a look. */
  readonly keep: boolean
}

export const USAGE = `npm run crash-test -- [--kills 20] [--seed 1] [--payments-per-second 40] [--json] [--keep]

Runs the real daemon, its embedded PostgreSQL and a simulated biller, pays through it, kills them
with kill -9 at random moments, and compares three books in the end.`

/** Throws with a sentence when the arguments are wrong. */
export function readOptions(args: readonly string[]): CrashOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      'payments-per-second': { type: 'string', default: '40' },
      json: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    kills: whole('kills', values.kills, 1000),
    seed: whole('seed', values.seed, Number.MAX_SAFE_INTEGER),
    paymentsPerSecond: Math.max(
      1,
      whole('payments-per-second', values['payments-per-second'], 2000),
    ),
    json: values.json,
    keep: values.keep,
  }
}

function whole(name: string, text: string, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > max)
    throw new Error(`--${name} must be a whole number from 0 to ${max}, and is ${text}`)
  return value
}
