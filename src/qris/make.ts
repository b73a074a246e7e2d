import type { AmountMinor } from '#base'
import {
  ADDITIONAL_IDS,
  type QrisAdditional,
  type QrisCode,
  type QrisTip,
  type RawObject,
} from './code.ts'
import { crcText } from './crc.ts'
import { below, writeObject } from './objects.ts'
import { readQris } from './read.ts'

type Value = string | readonly Entry[]
type Entry = readonly [id: string, value: Value | undefined]

/**
 * The text of a code, its objects in the order of their ids and its checksum behind them. What it
 * makes can be read again; what could not be is refused as `readQris` would refuse it.
 */
export function makeQris(code: QrisCode): string {
  const { use, accounts, national, tip, localized } = code
  const entries: Entry[] = [
    ['01', use && (use === 'static' ? '11' : '12')],
    ...accounts.map(({ id, domain, pan, merchantId, criteria, others }): Entry => [
      id,
      [['00', domain], ['01', pan], ['02', merchantId], ['03', criteria], ...raw(others)],
    ]),
    [
      '51',
      national && [
        ['00', national.domain],
        ['02', national.merchantId],
        ['03', national.criteria],
        ...raw(national.others),
      ],
    ],
    ['52', code.category],
    ['53', '360'],
    ['54', code.amountMinor === undefined ? undefined : rupiahText(code.amountMinor)],
    ...tipEntries(tip),
    ['58', 'ID'],
    ['59', code.name],
    ['60', code.city],
    ['61', code.postalCode],
    ['62', code.additional && additionalEntries(code.additional)],
    [
      '64',
      localized && [
        ['00', localized.language],
        ['01', localized.name],
        ['02', localized.city],
      ],
    ],
    ...raw(code.others),
  ]
  const text = `${writeObject('00', '01')}${write(entries, '')}6304`
  const made = text + crcText(text)
  readQris(made)
  return made
}

function write(entries: readonly Entry[], path: string): string {
  return entries
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([id, value]) => {
      const place = below(path, id)
      if (value === undefined) return ''
      return writeObject(place, typeof value === 'string' ? value : write(value, place))
    })
    .join('')
}

function raw(others: readonly RawObject[] = []): Entry[] {
  return others.map(({ id, value }) => [id, value])
}

function tipEntries(tip: QrisTip | undefined): Entry[] {
  switch (tip?.tag) {
    case undefined:
      return []
    case 'asked':
      return [['55', '01']]
    case 'fixed':
      return [
        ['55', '02'],
        ['56', rupiahText(tip.amountMinor)],
      ]
    case 'percent':
      return [
        ['55', '03'],
        ['57', decimalText(BigInt(tip.hundredths))],
      ]
  }
}

function additionalEntries({ proprietary, others, ...named }: QrisAdditional): Entry[] {
  const entries = Object.entries(named).map(([name, value]): Entry => [
    ADDITIONAL_IDS[name as keyof typeof ADDITIONAL_IDS],
    value,
  ])
  const inner: readonly Entry[] | undefined = proprietary && [
    ['00', proprietary.domain],
    ['01', proprietary.data],
  ]
  return [...entries, ['99', inner], ...raw(others)]
}

/** Whole rupiah without decimals, as codes have it. */
function rupiahText(amount: AmountMinor): string {
  return amount % 100n === 0n ? String(amount / 100n) : decimalText(amount)
}

function decimalText(hundredths: bigint): string {
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`
}
