import type { AmountMinor } from '#base'

/**
 * What a QRIS code says: EMVCo merchant-presented mode as Bank Indonesia's QRIS uses it (QRIS 4.7
 * and 4.8; EMVCo MPM 1.1). Object ids stand beside each value.
 */
export type QrisCode = {
  /** 01. A static code is printed once, a dynamic one made for one sale; undefined is not said. */
  readonly use?: 'static' | 'dynamic'
  /** 26 to 45, in the order of their ids. */
  readonly accounts: readonly QrisAccount[]
  /** 51: the merchant in the national repository. */
  readonly national?: QrisNational
  /** 52: ISO 18245. */
  readonly category: string
  /** 54, in rupiah on the wire; without it the payer types it. */
  readonly amountMinor?: AmountMinor
  readonly tip?: QrisTip
  /** 59, 60, 61. */
  readonly name: string
  readonly city: string
  readonly postalCode: string
  readonly additional?: QrisAdditional
  /** 64: the same in another language. */
  readonly localized?: QrisLocalized
  /** Objects that nothing else here carries, as they stand: other schemes (02 to 25, 46 to 50) and 65 to 99. */
  readonly others?: readonly RawObject[]
}

export type RawObject = { readonly id: string; readonly value: string }

export type QrisAccount = {
  /** 26 to 45. */
  readonly id: string
  /** .00: a reversed domain name. */
  readonly domain: string
  /** .01: merchant PAN; 18 digits in practice, without the check digit that the switches add. */
  readonly pan?: string
  /** .02 */
  readonly merchantId?: string
  /** .03 */
  readonly criteria?: Criteria
  readonly others?: readonly RawObject[]
}

export type QrisNational = {
  readonly domain: string
  /** .02: NMID, `ID` and 13 digits. */
  readonly merchantId: string
  readonly criteria?: Criteria
  readonly others?: readonly RawObject[]
}

/** Micro, small, medium, large business; regular; public service; social aid. */
export const CRITERIA = ['UMI', 'UKE', 'UME', 'UBE', 'URE', 'PSO', 'BLU'] as const
export type Criteria = (typeof CRITERIA)[number]

/** 55: the payer is asked, or it is fixed (56), or so many hundredths of a percent (57). */
export type QrisTip =
  | { readonly tag: 'asked' }
  | { readonly tag: 'fixed'; readonly amountMinor: AmountMinor }
  | { readonly tag: 'percent'; readonly hundredths: number }

/** 62. `***` means that the payer is asked. */
export type QrisAdditional = {
  readonly bill?: string
  readonly mobile?: string
  readonly store?: string
  readonly loyalty?: string
  readonly reference?: string
  readonly customer?: string
  readonly terminal?: string
  readonly purpose?: string
  /** .09: of A (address), M (mobile), E (e-mail), each once. */
  readonly asks?: string
  /** .99: who defines it, and what it says. */
  readonly proprietary?: { readonly domain: string; readonly data?: string }
  readonly others?: readonly RawObject[]
}

export type QrisLocalized = {
  /** .00: ISO 639, two letters. */
  readonly language: string
  readonly name: string
  readonly city?: string
}

/** Ids of 62 by the names above; each holds up to 25 characters. */
export const ADDITIONAL_IDS = {
  bill: '01',
  mobile: '02',
  store: '03',
  loyalty: '04',
  reference: '05',
  customer: '06',
  terminal: '07',
  purpose: '08',
  asks: '09',
} as const satisfies Partial<Record<keyof QrisAdditional, string>>
