import { type AmountMinor, negate } from '#base'
import { UsageError } from './usage.ts'

/** An option that may be given more than once. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** A whole number from 1 up. */
export function digitsOnly(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`no whole number: ${text}`)
}

export function portNumber(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : -1
  if (port >= 0 && port <= 65535) return port
  throw new UsageError(`no port: ${text}`)
}

/** `260500`, `260.500`, `Rp 260.500,50`; a minus in front takes away. */
export async function amount(text: string): Promise<AmountMinor> {
  const { rupiahMinor } = await import('#config')
  const [, minus, rest = ''] = /^(-?)(.*)$/.exec(text.trim()) ?? []
  const value = rupiahMinor(rest)
  if (value === undefined)
    throw new UsageError(`no amount: ${text}; wanted is 260500, 260.500 or 'Rp 260.500,50'`)
  return minus ? negate(value) : value
}

/** `40s`, `500ms`, or a plain number of milliseconds. */
export async function milliseconds(text: string): Promise<number> {
  const { durationMs } = await import('#config')
  const ms = /^\d{1,9}$/.test(text) ? Number(text) : durationMs(text)
  if (ms !== undefined) return ms
  throw new UsageError(`no duration: ${text}; wanted is 40s or 500ms`)
}

/** `host:port` */
export function hostPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  if (!match) throw new UsageError(`no address: ${text}; wanted is host:port`)
  return { host: match[1] ?? match[2] ?? '', port: portNumber(match[3] ?? '') }
}
