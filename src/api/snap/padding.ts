import { type HttpRequest, writeHttpRequest } from '#http'
import { SnapRefusal } from './refusal.ts'

/**
 * partnerServiceId has eight characters, with spaces before it. Some banks, and some of the standard's
 * own samples, leave spaces out; what they ask is then read as if they stood there. Signatures are
 * verified over what came, and answers have them.
 */
const NUMBER_CHARS = 8

type Body = Readonly<Record<string, unknown>>

/** The body with the spaces; undefined when none are missing. `number` is without any. */
export function withSpaces(body: Body, number: string): Body | undefined {
  const { partnerServiceId, customerNo, virtualAccountNo } = body
  const full = number.padStart(NUMBER_CHARS)
  const account = typeof virtualAccountNo === 'string' ? virtualAccountNo.trimStart() : undefined
  const whole = account?.startsWith(number) ? full + account.slice(number.length) : virtualAccountNo
  if (partnerServiceId === full && virtualAccountNo === whole) return undefined
  // Its digits are not those that were sent.
  if (typeof customerNo === 'number' && !Number.isSafeInteger(customerNo))
    throw new SnapRefusal('format', 'customerNo')
  return { ...body, partnerServiceId: full, virtualAccountNo: whole }
}

/** To be read only: its signature is that of the body that came. */
export function withBody({ method, target, headers }: HttpRequest, body: Body): Uint8Array {
  return writeHttpRequest({ method, target, headers, body: JSON.stringify(body) })
}
