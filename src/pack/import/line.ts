import type { Role } from './guess.ts'
import type { DraftedKind, Field } from './model.ts'

/** Which side of a conversation a body is of, and of what. */
export type Side = {
  readonly kind: DraftedKind
  readonly request: boolean
  /** Documents of JSON know numbers from texts; in XML all is text. */
  readonly json: boolean
  /** Inside of a list of bills. */
  readonly item: boolean
  /** Both are in this body, so a total is their sum. */
  readonly hasAdmin: boolean
  readonly hasTotal: boolean
}

/** A line of the pack; `core`: without it nothing can be asked, or told apart. */
export type Line = { readonly text: string; readonly core: boolean }

/** The line for a field of that meaning; undefined where it has none on that side. */
export function lineOf(role: Role, field: Field, side: Side): Line | undefined {
  const { kind, request, item } = side
  const text = field.type === 'text'
  const number = side.json && !text ? ' number' : ''
  const line = (said: string, core = false): Line => ({ text: said, core })
  if (item) return itemLine(role, field, side)
  switch (role) {
    case 'customer':
      return line(`customer.id digits ..30${number}`, request)
    case 'own':
      return text ? line('reference.own text ..40', request) : undefined
    case 'product':
      return text ? line('product', request) : undefined
    case 'user':
    case 'secret':
      return request && text ? line(`credential ${credentialName(field)}`, true) : undefined
    case 'admin':
      if (request && kind === 'inquiry') return undefined
      return line(`adminMinor ${moneyOf(field, side)}`, request)
    case 'amount':
      if ((request && kind === 'inquiry') || (side.hasTotal && !side.hasAdmin)) return undefined
      return line(`amountMinor ${moneyOf(field, side)}`, true)
    case 'total': {
      if (request && kind === 'inquiry') return undefined
      const sum = side.hasAdmin ? 'amountMinor plus adminMinor' : 'amountMinor'
      return line(`${sum} ${moneyOf(field, side)}`, true)
    }
    case 'outcome':
      return request ? undefined : line(`outcome${number}`, true)
    case 'words':
      return request || !text ? undefined : line('words')
    case 'biller-reference':
      return request || !text ? undefined : line('reference.biller? text ..60')
    case 'customer-name':
      return request || !text ? undefined : line('customer.name? text ..100')
    default:
      return undefined
  }
}

function itemLine(role: Role, field: Field, side: Side): Line | undefined {
  const money = moneyOf(field, side)
  switch (role) {
    case 'period':
      return field.type === 'text' ? { text: 'period YYYYMM', core: true } : undefined
    case 'amount':
    case 'total':
      return { text: `amountMinor ${money}`, core: true }
    case 'penalty':
      return { text: `penaltyMinor ${money}`, core: false }
    default:
      return undefined
  }
}

function moneyOf({ type }: Field, { json }: Side): string {
  const notation = json && type === 'text' ? ' quoted' : ''
  return type === 'decimal' ? 'rupiah decimal' : `rupiah${notation}`
}

/** A name of a credential: letters and digits. */
export function credentialName({ name }: Pick<Field, 'name'>): string {
  const plain = name.replace(/[^A-Za-z0-9]/g, '').replace(/^[0-9]+/, '')
  return plain === '' ? 'credential' : plain
}
