import { type AmountMinor, rupiah } from '#base'
import type { Message, Qr } from '#message'
import type { HttpPack, Pack } from '#pack'
import { makeQris, readQris } from '#qris'
import { merchantNumber, merchantPanOf } from '#sim'

/** A message of the pack's samples, which is how the tool learns what this dialect's are made of. */
export type Spoken = Pick<Message, 'kind' | 'direction'> & Partial<Message>

/** One product of a dialect, and how it is asked for and paid. */
export type Subject = {
  readonly product: string
  /** As a sample asks for it, or buys it; the number is put in for each case. */
  readonly asks: Partial<Message>
  /** Undefined where the bill says what is due: what is bought. */
  readonly buysMinor: AmountMinor | undefined
  /** Bought without asking first. */
  readonly unasked: boolean
  readonly recovery: { readonly policy: 'reverse' | 'advise' | 'check'; readonly attempts: number }
  /** The same with another number. */
  withNumber(number: string): Partial<Message>
  /** A number that the simulator knows, and that acts out a scenario when it ends in 900 to 999. */
  numberFor(suffix: number): string
}

/** Some dialects have room for more. */
const REGISTRATION_DIGITS = 13
const BOUGHT_DEFAULT = rupiah(100_000)

/**
 * The products that can be tested, from the pack's own samples, and those that no sample speaks of.
 */
export function subjectsOf(
  pack: Pack | HttpPack,
  spoken: readonly Spoken[],
): { readonly subjects: readonly Subject[]; readonly silent: readonly string[] } {
  const subjects: Subject[] = []
  const silent: string[] = []
  for (const product of pack.products) {
    const subject = subjectOf(pack, product, spoken)
    if (subject) subjects.push(subject)
    else silent.push(product)
  }
  return { subjects, silent }
}

function subjectOf(
  pack: Pack | HttpPack,
  product: string,
  spoken: readonly Spoken[],
): Subject | undefined {
  const own = spoken.filter(message => message.product === product)
  const find = (kind: string, direction: string) =>
    own.find(message => message.kind === kind && message.direction === direction)
  const unasked = !pack.carries('inquiry', product)
  const pays = find('payment', 'request')
  const asked = unasked ? pays : find('inquiry', 'request')
  const place = asked && placeOf(asked)
  const recovery = pack.recovery[product]
  if (!asked || !place || !recovery) return undefined
  const told = own.find(
    ({ kind, direction, outcome }) =>
      kind === 'inquiry' && direction === 'response' && outcome?.meaning === 'approved',
  )
  const says = told?.amountMinor !== undefined || asked.amountMinor !== undefined
  const { kind: _, direction: __, trace: ___, sentAt: ____, outcome: _____, ...rest } = asked
  const { reference: ______, ...asks } = rest
  return {
    product,
    asks,
    buysMinor: unasked || !says ? (pays?.amountMinor ?? BOUGHT_DEFAULT) : undefined,
    unasked,
    recovery,
    withNumber: number => place.put(asks, number),
    numberFor: suffix => `${'9999'.padEnd(Math.max(7, place.digits) - 3, '0')}${suffix}`,
  }
}

type Place = {
  readonly digits: number
  put(message: Partial<Message>, number: string): Partial<Message>
}

/** Where the number stands that the customer gives: the same as the simulators look at. */
function placeOf({ customer, registration, transfer, qr }: Spoken): Place | undefined {
  const { knownBy, id, meter } = customer ?? {}
  if (registration && !transfer && id === undefined)
    return {
      digits: REGISTRATION_DIGITS,
      put: (message, number) => ({ ...message, registration: { ...registration, number } }),
    }
  if (meter !== undefined && knownBy !== 'id')
    return {
      digits: meter.length,
      put: (message, number) => ({
        ...message,
        customer: { ...withoutId(customer), meter: number },
      }),
    }
  if (id !== undefined)
    return {
      digits: id.length,
      put: (message, number) => ({ ...message, customer: { ...customer, id: number } }),
    }
  if (transfer)
    return {
      digits: transfer.account.length,
      put: (message, number) => ({ ...message, transfer: { ...transfer, account: number } }),
    }
  if (qr)
    return {
      digits: merchantNumber(qr).length,
      put: (message, number) => ({ ...message, qr: withMerchant(qr, number) }),
    }
  return undefined
}

/** A code is made anew: its checksum is another. */
function withMerchant(qr: Qr, number: string): Qr {
  const merchantPan = merchantPanOf(number)
  if (qr.content === undefined) return { ...qr, merchantPan }
  const code = readQris(qr.content)
  const accounts = code.accounts.map(one => ({ ...one, pan: merchantPan.slice(0, -1) }))
  return { ...qr, content: makeQris({ ...code, accounts }) }
}

function withoutId(customer: Message['customer']): NonNullable<Message['customer']> {
  const { id: _, ...rest } = customer ?? {}
  return rest
}
