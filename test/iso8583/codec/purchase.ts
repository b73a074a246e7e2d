import type { FieldSpec, MessageSpec } from '../../../src/iso8583/codec/spec.ts'

/**
 * A purchase of 324 bytes with 21 data elements, as acquirers send them: ASCII fields, a binary
 * bitmap, DE52 as 8 raw bytes. What the codec is measured and mutated with.
 */
type Row = readonly [number: number, line: string, value: string]

const ROWS: readonly Row[] = [
  [2, 'LL n 19', '4761739001010010'],
  [3, 'n 6', '000000'],
  [4, 'n 12', '000000125000'],
  [7, 'n 10', '1122103912'],
  [11, 'n 6', '004711'],
  [12, 'n 6', '173912'],
  [13, 'n 4', '1122'],
  [14, 'n 4', '2812'],
  [18, 'n 4', '5411'],
  [22, 'n 3', '051'],
  [25, 'n 2', '00'],
  [32, 'LL n 11', '451999'],
  [35, 'LL z 37', '4761739001010010=281220100000000012'],
  [37, 'an 12', '632610004711'],
  [41, 'ans 8', 'TERM0001'],
  [42, 'ans 15', 'MERCHANT0000001'],
  [43, 'ans 40', 'TOKO SEJAHTERA JL SUDIRMAN  JAKARTA   ID'],
  [48, 'LLL ans 999', 'ADDITIONAL DATA OF A PURCHASE: 0123456789 0123456789 0123456'],
  [49, 'n 3', '360'],
  [52, 'b 8', '0123456789ABCDEF'],
  [62, 'LLL ans 999', 'INVOICE 2026/11/22-000471 CASHIER 7 LN 2'],
]

/** Elements that the dialect has and this message does not, before and behind its others. */
const ABSENT: readonly Row[] = [
  [39, 'an 2', ''],
  [60, 'LLL ans 999', ''],
  [64, 'b 8', ''],
]

function specOf([number, line]: Row): FieldSpec {
  const [, prefix, content, size] = /^(?:(L+) )?(\S+) (\d+)$/.exec(line) as unknown as string[]
  const bytes = content === 'b'
  return {
    id: String(number),
    name: `data element ${number}`,
    content: content as FieldSpec['content'],
    data: bytes ? 'binary' : 'ascii',
    length: prefix
      ? { form: 'prefix', encoding: 'ascii', digits: prefix.length, inclusive: false }
      : { form: 'fixed' },
    unit: bytes ? 'bytes' : 'characters',
    size: Number(size),
  }
}

export const PURCHASE_SPEC: MessageSpec = {
  name: 'purchase',
  title: 'ISO 8583:1987, ASCII, binary bitmap',
  headerBytes: 0,
  mti: { encoding: 'ascii', versions: [0] },
  bitmap: { encoding: 'binary', bytes: 8, extension: 'auto', most: 2 },
  fields: [...ROWS, ...ABSENT].map(specOf),
  overlays: [],
}

export const PURCHASE_VALUES: ReadonlyMap<number, string> = new Map(
  ROWS.map(([number, , value]) => [number, value]),
)

/** The frame, put together without the codec. */
export function purchaseFrame(): Buffer {
  const bitmap = Buffer.alloc(8)
  const parts = ROWS.map(([number, line, value]) => {
    const at = (number - 1) >> 3
    bitmap[at] = (bitmap[at] as number) | (0x80 >> ((number - 1) & 7))
    const prefix = /^L+/.exec(line)?.[0].length ?? 0
    const length = prefix === 0 ? '' : String(value.length).padStart(prefix, '0')
    const data = line.startsWith('b') ? Buffer.from(value, 'hex') : Buffer.from(value, 'latin1')
    return Buffer.concat([Buffer.from(length, 'latin1'), data])
  })
  return Buffer.concat([Buffer.from('0200', 'latin1'), bitmap, ...parts])
}
