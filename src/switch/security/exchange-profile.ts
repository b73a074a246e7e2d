import type { ExportScheme, KeyParity, KeyTypeName } from '#hsm'

/**
 * How two ends agree a new working key over the line, as data. A network message (0800, 2800) has
 * a code in one element; the key under the ZMK, its check value and what kind of key it is stand in
 * others, each laid out as its parts say:
 *
 *     asks    send me a new key        the answer brings it, or only says that it will come
 *     gives   here is a new key        the answer says that it is taken
 */
export type ExchangeProfile = {
  readonly text: string
  /** The element with the code: DE70, DE40. */
  readonly code: number
  readonly asks: string | undefined
  readonly gives: string | undefined
  /** The key stands in the answer to who asks; else it comes in a message of its own. */
  readonly answersWithKey: boolean
  readonly places: readonly Place[]
  /** How the kind of key is written, where it is. */
  readonly marks: Partial<Record<KeyTypeName, string>>
  /** bare: hexadecimal digits alone, X or Y by their number. */
  readonly written: ExportScheme | 'bare'
  /** Of the keys that they give. */
  readonly parity?: KeyParity
  readonly outcome: {
    readonly field: number
    readonly taken: string
    readonly refused: string
    /** In an answer to any request: our session key is no longer good (Arranet). */
    readonly stale?: string
  }
}

/** One element, its parts in order; `key` is what the others leave over. */
export type Place = { readonly element: number; readonly parts: readonly Part[] }

export type Part =
  | { readonly is: 'key' }
  | { readonly is: 'mark'; readonly digits: number }
  | { readonly is: 'check'; readonly digits: number }
  | { readonly is: 'text'; readonly text: string }

export type ExchangeSettings = {
  readonly profile: ExchangeProfile
  /** What is agreed over this line. */
  readonly keys: readonly KeyTypeName[]
  /** What we do while there is no key, and each time it is due; `wait` leaves it to the other side. */
  readonly by: 'ask' | 'give' | 'wait'
  /** For how long a key is active before the next one is agreed; 0 for ever. */
  readonly everyMs: number
  readonly timeoutMs: number
  readonly attempts: number
  /** Messages of the exchange have a MAC, like all others, from the first MAC key on. */
  readonly mac: boolean
}

const key: Part = { is: 'key' }
const check: Part = { is: 'check', digits: 6 }
const mark: Part = { is: 'mark', digits: 2 }
const text = (of: string): Part => ({ is: 'text', text: of })

const MARKS: ExchangeProfile['marks'] = {
  ZPK: '01',
  ZAK: '02',
  ZAK_CBC: '02',
  CMAC: '02',
  ZEK: '03',
}
const ISO_1987 = { field: 39, taken: '00', refused: '12' } as const

const NETWORK = { code: 70, answersWithKey: false, marks: MARKS, outcome: ISO_1987 } as const

/** The exchanges of the trade, by the name that a link's file calls them. */
export const EXCHANGE_PROFILES = {
  de48: {
    ...NETWORK,
    text: 'DE70 161 asks, 101 gives; DE48: kind, key (X, Y), check value',
    asks: '161',
    gives: '101',
    written: 'bare',
    places: [{ element: 48, parts: [mark, key, check] }],
  },
  'de48-block': {
    ...NETWORK,
    text: 'DE70 161 asks, 101 gives; DE48: kind, key block (X9.143), check value',
    asks: '161',
    gives: '101',
    written: 'R',
    places: [{ element: 48, parts: [mark, key, check] }],
  },
  base24: {
    ...NETWORK,
    text: 'DE70 161 asks, 162 gives; DE53: kind; DE120: check value; DE123: KD/ and the key',
    asks: '161',
    gives: '162',
    written: 'bare',
    places: [
      { element: 53, parts: [mark, text('00000000000000')] },
      { element: 120, parts: [check] },
      { element: 123, parts: [text('KD/'), key] },
    ],
  },
  postilion: {
    ...NETWORK,
    text: 'DE70 101 gives; DE53: kind; DE125: key (X, Y) and check value',
    asks: undefined,
    gives: '101',
    written: 'bare',
    places: [
      { element: 53, parts: [mark, text('00000000000000')] },
      { element: 125, parts: [key, check] },
    ],
  },
  de120: {
    ...NETWORK,
    text: 'DE70 161 asks, 162 gives; DE120: kind, key (X, Y), check value',
    asks: '161',
    gives: '162',
    written: 'bare',
    places: [{ element: 120, parts: [mark, key, check] }],
  },
  de53: {
    ...NETWORK,
    text: 'DE70 161 asks, the answer brings it, 162 gives; DE53: key (X, Y) and check value',
    asks: '161',
    gives: '162',
    answersWithKey: true,
    marks: {},
    written: 'bare',
    places: [{ element: 53, parts: [key, check] }],
  },
  arranet: {
    text: 'DE40 101 asks, the answer brings it; DE48: the key (Y) alone',
    parity: 'any',
    code: 40,
    asks: '101',
    gives: undefined,
    answersWithKey: true,
    marks: {},
    written: 'bare',
    places: [{ element: 48, parts: [key] }],
    outcome: { field: 39, taken: '0000', refused: '0005', stale: '0096' },
  },
} as const satisfies Record<string, ExchangeProfile>

export type ExchangeName = keyof typeof EXCHANGE_PROFILES
