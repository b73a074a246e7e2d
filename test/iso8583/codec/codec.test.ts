import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { isNadiError, NadiError, type ErrorCode } from '#base'
import {
  adviceOf,
  compileSpec,
  type CompileOptions,
  type CompositeSpec,
  type FieldSpec,
  formatTrack1,
  formatTrack2,
  formatTrack3,
  isAdvice,
  isNetwork,
  type IsoCodec,
  isRepeat,
  isRequest,
  isResponse,
  isReversal,
  LENIENCIES,
  type MessageSpec,
  parseTrack1,
  parseTrack2,
  parseTrack3,
  type PlainMessage,
  repeatOf,
  responseOf,
  reversalOf,
  type Track1,
  type Track2,
  type Track3,
  versionOf,
} from '../../../src/iso8583/codec/index.ts'
import { PURCHASE_SPEC, PURCHASE_VALUES, purchaseFrame } from './purchase.ts'

const BASE: Omit<FieldSpec, 'id' | 'name'> = {
  content: 'ans',
  data: 'ascii',
  length: { form: 'fixed' },
  unit: 'characters',
  size: 4,
}
const LL = { form: 'prefix', encoding: 'ascii', digits: 2, inclusive: false } as const
const LLL = { form: 'prefix', encoding: 'ascii', digits: 3, inclusive: false } as const

function field(id: number | string, more: Partial<FieldSpec> = {}): FieldSpec {
  return { id: String(id), name: `field ${id}`, ...BASE, ...more }
}
function bytes(id: number | string, size: number, more: Partial<FieldSpec> = {}): FieldSpec {
  return field(id, { content: 'b', data: 'binary', unit: 'bytes', size, ...more })
}
function dialect(fields: readonly FieldSpec[], more: Partial<MessageSpec> = {}): MessageSpec {
  return { ...PURCHASE_SPEC, name: 'test', fields, ...more }
}
/** A dialect with one composite in data element 48. */
function withParts(children: CompositeSpec, more: Partial<FieldSpec> = {}): IsoCodec {
  return compileSpec(dialect([bytes(48, 999, { length: LLL, children, ...more })]))
}
/** Hexadecimal without the spaces that show what belongs together. */
function packed(hex: string): string {
  return hex.replaceAll(' ', '')
}
function hexOf(frame: Uint8Array): string {
  return Buffer.from(frame).toString('hex').toUpperCase()
}
/** The frame of data element 48 with this data, given in hexadecimal. */
function frame48(data: string): Buffer {
  const hex = packed(data)
  const length = String(hex.length / 2).padStart(3, '0')
  const bitmap = Buffer.from('0000000000010000', 'hex')
  return Buffer.concat([Buffer.from('0200'), bitmap, Buffer.from(length), Buffer.from(hex, 'hex')])
}
function reject(run: () => unknown): NadiError {
  try {
    run()
  } catch (error) {
    if (isNadiError(error)) return error
    throw error
  }
  throw new Error('it was accepted')
}
function same(t: Test, codec: IsoCodec, plain: PlainMessage): Uint8Array {
  const frame = codec.fromPlain(plain)
  const message = codec.parse(frame)
  t.same(message.toPlain(), plain, 'what was written is read')
  t.same(hexOf(message.draft().build()), hexOf(frame), 'copied byte by byte')
  t.same(hexOf(codec.fromPlain(message.toPlain())), hexOf(frame), 'written again')
  return frame
}
t.test('the purchase is read, written and answered', async t => {
  const codec = compileSpec(PURCHASE_SPEC)
  const frame = purchaseFrame()
  t.equal(frame.length, 324)
  const message = codec.parse(frame)
  t.equal(message.mti, '0200')
  t.same(message.numbers, [...PURCHASE_VALUES.keys()])
  for (const [number, value] of PURCHASE_VALUES) t.equal(message.get(number), value)
  t.equal(message.get(39), undefined)
  t.equal(message.has(1), false)
  t.same(Buffer.from(message.raw(52) ?? []), Buffer.from('0123456789ABCDEF', 'hex'))
  t.equal(message.at('11'), '004711')
  t.ok(frame.equals(message.draft().build()), 'copied')
  const draft = codec.create('0200')
  for (const [number, value] of [...PURCHASE_VALUES].reverse()) draft.set(number, value)
  t.ok(frame.equals(draft.build()), 'in any order')
  const answer = codec.parse(message.answer([11, 3, 64, 4]).set(39, '00').build())
  t.same(answer.toPlain(), {
    mti: '0210',
    fields: { '3': '000000', '4': '000000125000', '11': '004711', '39': '00' },
  })
  const changed = codec.parse(message.draft().remove(52).set(4, '1'.repeat(12)).build())
  t.equal(changed.get(4), '111111111111')
  t.equal(changed.has(52), false)
})

t.test(
  'every malformed variant of the purchase is refused, with the place and without data',
  async t => {
    const codec = compileSpec(PURCHASE_SPEC)
    const whole = purchaseFrame()
    const message = codec.parse(whole)
    const at = (number: number): number =>
      (message.raw(number) as Buffer).byteOffset - whole.byteOffset
    const patched = (offset: number, text: string): Buffer => {
      const frame = Buffer.from(whole)
      frame.write(text, offset, 'latin1')
      return frame
    }
    const bit = (number: number, on: boolean): Buffer => {
      const frame = Buffer.from(whole)
      const place = 4 + ((number - 1) >> 3)
      const mask = 0x80 >> ((number - 1) & 7)
      frame[place] = on ? (frame[place] as number) | mask : (frame[place] as number) & ~mask
      return frame
    }
    const prefixes: [number, number][] = [
      [2, 2],
      [32, 2],
      [35, 2],
      [48, 3],
      [62, 3],
    ]
    const rows: [title: string, frame: Buffer, codes: ErrorCode[]][] = [
    ...Array.from({ length: 324 }, (_, length): [string, Buffer, ErrorCode[]] => [
      `cut to ${length}`, whole.subarray(0, length), ['CODEC_TRUNCATED'],
    ]),
    ...Array.from({ length: 8 }, (_, i): [string, Buffer, ErrorCode[]] => [
      `${i + 1} more bytes`, Buffer.concat([whole, Buffer.alloc(i + 1, '0')]), ['CODEC_TRAILING'],
    ]),
    ...prefixes.flatMap(([number, digits]) =>
      Array.from({ length: digits }, (_, i): [string, Buffer, ErrorCode[]] => [
        `digit ${i} of the length of ${number}`, patched(at(number) - digits + i, 'A'), ['CODEC_LENGTH'],
      ]),
    ),
    ...prefixes.map(([number, digits]): [string, Buffer, ErrorCode[]] => [
      `${number} is too long`, patched(at(number) - digits, '9'.repeat(digits)), ['CODEC_LENGTH', 'CODEC_TRUNCATED'],
    ]),
    ...[3, 4, 11, 49].map((number): [string, Buffer, ErrorCode[]] => [
      `a letter in ${number}`, patched(at(number) + 1, 'X'), ['CODEC_CONTENT'],
    ]),
    ...[43, 48].map((number): [string, Buffer, ErrorCode[]] => [
      `a control character in ${number}`, patched(at(number) + 3, '\x07'), ['CODEC_CONTENT'],
    ]),
    ['letters as MTI', patched(0, '02X0'), ['CODEC_MTI']],
    ['an MTI of another version', patched(0, '9200'), ['CODEC_MTI']],
    ['a bit of an undefined field', bit(5, true), ['CODEC_UNDEFINED_FIELD']],
    ['a bit of an absent field', bit(39, true), ['CODEC_CONTENT', 'CODEC_LENGTH', 'CODEC_TRUNCATED', 'CODEC_TRAILING']],
    ['a field without its bit', bit(11, false), ['CODEC_CONTENT', 'CODEC_LENGTH', 'CODEC_TRUNCATED', 'CODEC_TRAILING']],
    ['bit 1 without a second bitmap', bit(1, true), ['CODEC_UNDEFINED_FIELD', 'CODEC_CONTENT', 'CODEC_LENGTH']],
  ] // prettier-ignore
    const secret = PURCHASE_VALUES.get(2) as string
    for (const [title, frame, codes] of rows) {
      const error = reject(() => codec.parse(frame))
      if (!codes.includes(error.code)) t.fail(`${title}: ${error.message}`)
      if (error.offset === undefined || !error.path)
        t.fail(`${title} has no place: ${error.message}`)
      if (error.message.includes(secret)) t.fail(`${title} shows data`)
      const partly = codec.parsePartly(frame)
      t.equal(partly.error?.message, error.message)
      for (const number of partly.message.numbers) partly.message.get(number)
    }
    t.ok(rows.length >= 361, `${rows.length} variants`)
    t.same(codec.parsePartly(whole.subarray(0, 3)).message.toPlain(), { mti: '', fields: {} })
    const partly = codec.parsePartly(patched(at(37) + 3, '\x07'))
    t.equal(partly.error?.path, '37')
    t.equal(partly.error?.offset, at(37) + 3)
    t.same(partly.message.numbers, [2, 3, 4, 7, 11, 12, 13, 14, 18, 22, 25, 32, 35])
    t.equal(partly.message.get(11), '004711')
    t.equal(partly.message.get(41), undefined)
  },
)

t.test('fields of every encoding, length and padding', async t => {
  const ebcdic = { form: 'prefix', encoding: 'ebcdic', digits: 2, inclusive: false } as const
  const bcd = (digits: number) =>
    ({ form: 'prefix', encoding: 'bcd', digits, inclusive: false }) as const
  const binary = (digits: number) =>
    ({ form: 'prefix', encoding: 'binary', digits, inclusive: false }) as const
  const zeros = { side: 'left', char: '0', trim: false } as const
  const rows: [title: string, spec: Partial<FieldSpec>, value: string, hex: string, read?: string][] = [
    ['fixed text', {}, 'AB 1', '41422031'],
    ['padded on the right', { pad: { side: 'right', char: ' ', trim: false } }, 'AB', '41422020', 'AB  '],
    ['padded and trimmed', { pad: { side: 'right', char: ' ', trim: true } }, 'AB', '41422020', 'AB'],
    ['padded on the left', { content: 'n', pad: zeros }, '12', '30303132', '0012'],
    ['digits padded with spaces', { content: 'n', pad: { side: 'left', char: ' ', trim: true } }, '12', '20203132', '12'],
    ['letters filled with blanks', { content: 'an' }, 'AB  ', '41422020'],
    ['LL', { length: LL, size: 9 }, 'ABC', '3033414243'],
    ['LL of nothing', { length: LL, size: 9 }, '', '3030'],
    ['EBCDIC', { data: 'ebcdic-1047', length: ebcdic, size: 9 }, 'a[B]', 'F0F481ADC2BD'],
    ['EBCDIC 037', { data: 'ebcdic-037' }, '[|]^', 'BA4FBBB0'],
    ['EBCDIC 500', { data: 'ebcdic-500' }, '[|]^', '4ABB5A5F'],
    ['BCD, even', { content: 'n', data: 'bcd-left-0', unit: 'digits' }, '1234', '1234'],
    ['BCD, zero on the left', { content: 'n', data: 'bcd-left-0', unit: 'digits', size: 3 }, '123', '0123'],
    ['BCD, zero on the right', { content: 'n', data: 'bcd-right-0', unit: 'digits', size: 3 }, '123', '1230'],
    ['BCD, F on the left', { content: 'n', data: 'bcd-left-f', unit: 'digits', size: 3 }, '123', 'F123'],
    ['BCD, F on the right', { content: 'n', data: 'bcd-right-f', unit: 'digits', size: 3 }, '123', '123F'],
    ['BCD counted in digits', { content: 'n', data: 'bcd-left-0', unit: 'digits', length: bcd(2), size: 19 }, '123', '030123'],
    ['BCD counted in bytes', { content: 'n', data: 'bcd-right-f', unit: 'encoded', length: bcd(2), size: 10 }, '123', '02123F'],
    ['BCD counted in half-bytes', { content: 'n', data: 'bcd-left-0', unit: 'nibbles', length: LL, size: 20 }, '123', '30340123', '0123'],
    ['track 2 in BCD', { content: 'z', data: 'bcd-right-f', unit: 'digits', length: binary(1), size: 37 }, '12=34', '0512D34F'],
    ['hexadecimal digits in BCD', { content: 'h', data: 'bcd-left-0', unit: 'digits' }, '1AF0', '1AF0'],
    ['binary', { content: 'b', data: 'binary', unit: 'bytes', size: 3 }, '00FF10', '00FF10'],
    ['binary behind two bytes', { content: 'b', data: 'binary', unit: 'bytes', length: binary(2), size: 300 }, 'AB', '0001AB'],
    ['hexadecimal characters', { content: 'b', data: 'hex-ascii', unit: 'bytes', size: 2 }, '1AF0', '31414630'],
    ['counted as characters', { content: 'b', data: 'hex-ascii', unit: 'encoded', length: LL, size: 8 }, '1AF0', '303431414630'],
    ['hexadecimal in EBCDIC', { content: 'b', data: 'hex-ebcdic', unit: 'bytes', size: 2 }, '1AF0', 'F1C1C6F0'],
    ['zoned, plus', { content: 'n', data: 'zoned-ebcdic', pad: zeros }, '12', 'F0F0F1F2', '0012'],
    ['zoned, minus', { content: 'n', data: 'zoned-ebcdic', pad: zeros }, '-12', 'F0F0F1D2', '-0012'],
    ['signed', { content: 'x+n', size: 5, pad: zeros }, 'D12', '4430303132', 'D0012'],
    ['signed BCD', { content: 'x+n', data: 'sign-bcd', size: 6, pad: zeros }, 'C12', '43000012', 'C00012'],
    ['signed BCD, right', { content: 'x+n', data: 'sign-bcd-right-0', size: 2 }, 'C9', '4390'],
    ['the length counts itself', { length: { ...LL, inclusive: true }, size: 9 }, 'ABC', '3035414243'],
    ['six digits', { length: { ...LL, digits: 6 }, size: 9 }, 'ABC', '303030303033414243'],
    ['hexadecimal length', { length: { ...LL, encoding: 'hex-ascii' }, size: 99 }, 'A'.repeat(17), `3131${'41'.repeat(17)}`],
    ['odd BCD length', { length: bcd(3), size: 200 }, 'A'.repeat(123), `0123${'41'.repeat(123)}`],
    ['half-bytes in BCD', { content: 'b', data: 'binary', unit: 'bytes', length: { ...LL, encoding: 'hex-bcd' }, size: 9 }, 'ABCDEF', '06ABCDEF'],
    ['BER length, short', { length: { form: 'ber' }, size: 300 }, 'AB', '024142'],
    ['BER length, long', { length: { form: 'ber' }, size: 300 }, 'A'.repeat(130), `8182${'41'.repeat(130)}`],
    ['until #', { length: { form: 'until', terminator: '23', open: false }, size: 9 }, 'ABC', '41424323'],
    ['until # with nothing before it', { length: { form: 'until', terminator: '23', open: false }, size: 9 }, '', '23'],
    ['until a whole CR LF', { length: { form: 'until', terminator: '0D0A', open: false }, content: 'any', size: 4 }, 'A\rB\n', '410D420A0D0A'],
    ['until FS in EBCDIC', { length: { form: 'until', terminator: '1C', open: false }, data: 'ebcdic-037', size: 9 }, 'AB', 'C1C21C'],
    ['until FF in BCD', { length: { form: 'until', terminator: 'FF', open: false }, content: 'n', data: 'bcd-right-f', unit: 'digits', size: 9 }, '123', '123FFF'],
    ['until 00 in bytes', { length: { form: 'until', terminator: '00', open: false }, content: 'b', data: 'binary', unit: 'bytes', size: 4 }, '01FF', '01FF00'],
    ['until # or the end', { length: { form: 'until', terminator: '23', open: true }, size: 9 }, 'ABC', '414243'],
    ['all the rest', { length: { form: 'rest' }, size: 99 }, 'ABC', '414243'],
    ['a filled area', { length: LL, size: 5, filled: true, pad: { side: 'right', char: ' ', trim: true } }, 'AB', '30324142202020', 'AB'],
    ['filled with zero bytes', { content: 'b', data: 'binary', unit: 'bytes', length: binary(1), size: 4, filled: true }, 'AB', '01AB000000'],
    ['the bit alone', { size: 0 }, '', ''],
  ] // prettier-ignore
  for (const [title, spec, value, hex, read = value] of rows) {
    const codec = compileSpec(dialect([field(64, spec)]))
    const head = `303230300000000000000001`
    const frame = codec.fromPlain({ mti: '0200', fields: { '64': value } })
    t.equal(hexOf(frame), head + hex, title)
    const message = codec.parse(frame)
    t.equal(message.get(64), read, `${title}, read`)
    t.equal(hexOf(message.draft().build()), head + hex)
    t.equal(
      hexOf(codec.create('0200').set(64, read).build()),
      head + hex,
      `${title}, written again`,
    )
    const raw = message.raw(64) as Uint8Array
    if (!spec.filled && !title.startsWith('BCD counted in digits')) {
      t.equal(hexOf(codec.create('0200').setBytes(64, raw).build()), head + hex, `${title}, raw`)
    }
    for (let length = 12; length < frame.length; length++) {
      if (title === 'all the rest' || title === 'until # or the end') break
      t.equal(reject(() => codec.parse(frame.subarray(0, length))).code, 'CODEC_TRUNCATED')
    }
  }
})

t.test('what ends at a terminator, and where one may be missing', async t => {
  const until = (id: number, open: boolean, more: Partial<FieldSpec> = {}) =>
    field(id, { length: { form: 'until', terminator: '23', open }, size: 4, ...more })
  const parts = (shorter: boolean, open = true): IsoCodec =>
    withParts({ kind: 'positional', shorter, fields: [1, 2, 3].map(id => until(id, open)) })
  const text = (data: string): Buffer => frame48(Buffer.from(data, 'latin1').toString('hex'))
  const rows: [title: string, codec: IsoCodec, data: string, parts: PlainMessage['fields'], again?: string][] = [
    ['all three', parts(false), 'A#BB#C', { '1': 'A', '2': 'BB', '3': 'C' }],
    ['an empty one at the end', parts(false), 'A#BB#', { '1': 'A', '2': 'BB', '3': '' }],
    ['a terminator too many', parts(false), 'A#BB#C#', { '1': 'A', '2': 'BB', '3': 'C' }, 'A#BB#C'],
    ['fewer', parts(true), 'A#BB', { '1': 'A', '2': 'BB' }],
    ['fewer, all empty', parts(true), '##', { '1': '', '2': '' }],
    ['all, the last empty', parts(true), 'A#B##', { '1': 'A', '2': 'B', '3': '' }],
    ['nothing', parts(true), '', {}],
    ['always terminated', parts(false, false), 'A#BB#C#', { '1': 'A', '2': 'BB', '3': 'C' }],
  ] // prettier-ignore
  for (const [title, codec, data, expected, again = data] of rows) {
    const message = codec.parse(text(data))
    t.same(message.toPlain(), { mti: '0200', fields: { '48': expected } }, title)
    t.equal(hexOf(message.draft().build()), hexOf(text(data)), `${title}, copied`)
    const written = codec.fromPlain({ mti: '0200', fields: { '48': expected } })
    t.equal(hexOf(written), hexOf(text(again)), `${title}, written`)
  }
  const wrong: [title: string, codec: IsoCodec, data: string, code: ErrorCode, path: string, offset: number][] = [
    ['one is missing', parts(false), 'A#BB', 'CODEC_TRUNCATED', '48.3', 19],
    ['the last is not terminated', parts(false, false), 'A#BB#C', 'CODEC_TRUNCATED', '48.3', 21],
    ['too long', parts(false), 'A#BBBBB#C', 'CODEC_LENGTH', '48.2', 17],
    ['too long at the end', parts(true), 'A#BBBBB', 'CODEC_LENGTH', '48.2', 17],
    ['too long and never terminated', parts(false, false), 'ABCDEFGHI', 'CODEC_LENGTH', '48.1', 15],
    ['one too many', parts(false), 'A#B#C#D', 'CODEC_TRAILING', '48', 21],
    ['a wrong class', parts(false), 'A#\x07#', 'CODEC_CONTENT', '48.2', 17],
  ] // prettier-ignore
  for (const [title, codec, data, code, path, offset] of wrong) {
    const { code: found, path: at, offset: place } = reject(() => codec.parse(text(data)))
    t.same([found, at, place], [code, path, offset], title)
  }
  const refused = reject(() => parts(false).create('0200').setAt('48.1', 'A#').build())
  t.match(refused, { code: 'CODEC_VALUE', path: '48.1', expected: 'a value without 0x23' })
  const crossing = compileSpec(
    dialect([field(2, { length: { form: 'until', terminator: '4141', open: false }, size: 4 })]),
  )
  t.equal(reject(() => crossing.create('0200').set(2, 'BA').build()).code, 'CODEC_VALUE')

  // An element that ended with the message is terminated when another comes to stand behind it.
  const codec = compileSpec(
    dialect([until(2, true), until(3, true), field(4, { length: LL, size: 9 })]),
  )
  const last = codec.parse(codec.create('0200').set(2, 'A').build())
  t.equal(hexOf(last.frame), packed('30323030 4000000000000000 41'))
  t.equal(hexOf(last.draft().build()), hexOf(last.frame))
  const more = last.answer([2]).set(4, 'B').build()
  t.equal(hexOf(more), packed('30323130 5000000000000000 4123 303142'))
  t.same(codec.parse(more).toPlain().fields, { '2': 'A', '4': 'B' })
  const shorter = codec.parse(more).draft().remove(4).build()
  t.same(codec.parse(shorter).toPlain().fields, { '2': 'A' })
  const writer = codec.writer()
  t.equal(hexOf(writer.begin('0200').set(2, 'A').end()), hexOf(last.frame))
  t.equal(hexOf(writer.begin('0210').set(2, 'A').set(4, 'B').end()), hexOf(more))
  t.equal(
    hexOf(writer.begin('0200').copy(last, [2]).end()),
    hexOf(last.frame),
    'copied, still last',
  )
  t.equal(hexOf(writer.begin('0210').copy(last, [2, 3]).set(4, 'B').end()), hexOf(more), 'no more')
  t.equal(hexOf(writer.begin('0210').copy(codec.parse(more), [2, 4]).end()), hexOf(more))
  const grown = parts(true).parse(text('A#BB')).draft().setAt('48.3', 'C').build()
  t.equal(hexOf(grown), hexOf(text('A#BB#C')))
})

t.test('bitmaps, headers and message types in every form', async t => {
  const fields = [field(2), field(65), field(66), field(128), field(130), field(192)]
  const two: PlainMessage = { mti: '0200', fields: { '2': 'AAAA', '66': 'BBBB', '128': 'CCCC' } }
  const three: PlainMessage = { mti: '0200', fields: { '2': 'AAAA', '130': 'BBBB', '192': 'CCCC' } }
  const bitmap = PURCHASE_SPEC.bitmap
  const rows: [title: string, spec: Partial<MessageSpec>, plain: PlainMessage, head: string][] = [
    ['binary', {}, two, '30323030C0000000000000004000000000000001'],
    ['hex ASCII', { bitmap: { ...bitmap, encoding: 'hex-ascii' } }, { mti: '0200', fields: { '2': 'AAAA' } }, `30323030 34 ${'30'.repeat(15)}`],
    ['hex EBCDIC', { bitmap: { ...bitmap, encoding: 'hex-ebcdic' } }, { mti: '0200', fields: { '2': 'AAAA' } }, `30323030 F4 ${'F0'.repeat(15)}`],
    ['MTI in BCD', { mti: { encoding: 'bcd', versions: [] } }, { mti: '0200', fields: { '2': 'AAAA' } }, '0200 4000000000000000'],
    ['MTI in EBCDIC', { mti: { encoding: 'ebcdic-1047', versions: [] } }, { mti: '1804', fields: { '2': 'AAAA' } }, 'F1F8F0F4 4000000000000000'],
    ['no MTI', { mti: { encoding: 'none', versions: [] } }, { mti: '', fields: { '2': 'AAAA' } }, '4000000000000000'],
    ['a header', { headerBytes: 2 }, { header: 'CAFE', mti: '0200', fields: { '2': 'AAAA' } }, 'CAFE303230304000000000000000'],
    ['a third bitmap', { bitmap: { ...bitmap, most: 3 } }, three, '30323030C00000000000000080000000000000004000000000000001'],
    ['16 bytes always', { bitmap: { ...bitmap, bytes: 16, extension: 'always' } }, two, '30323030 40000000000000004000000000000001'],
    ['no bitmap', { bitmap: { ...bitmap, encoding: 'none' } }, { mti: '0200', fields: { '2': 'AAAA', '65': 'BBBB' } }, '3032303041414141'],
  ] // prettier-ignore
  for (const [title, spec, plain, head] of rows) {
    t.test(title, async t => {
      const frame = same(t, compileSpec(dialect(fields, spec)), plain)
      t.ok(hexOf(frame).startsWith(packed(head)), hexOf(frame))
    })
  }
  t.test('a third bitmap inside of a data element', async t => {
    const spec = dialect([field(2), field(66), field(130)], {
      bitmap: { ...bitmap, tertiaryField: 65 },
    })
    const codec = compileSpec(spec)
    const frame = same(t, codec, {
      mti: '0200',
      fields: { '2': 'AAAA', '66': 'BBBB', '130': 'CCCC' },
    })
    t.equal(
      hexOf(frame),
      packed(
        '30323030 C000000000000000 C000000000000000 41414141 4000000000000000 42424242 43434343',
      ),
    )
    t.same(codec.parse(frame).numbers, [2, 66, 130])
    same(t, codec, { mti: '0200', fields: { '66': 'BBBB' } })
    same(t, codec, { mti: '0200', fields: { '130': 'BBBB' } })
    t.equal(codec.parse(frame).draft().remove(130).build().length, frame.length - 4 - 8)
  })
  t.test('an empty second bitmap stays', async t => {
    const frame = Buffer.from('30323030C000000000000000000000000000000041414141', 'hex')
    t.equal(hexOf(compileSpec(dialect(fields)).parse(frame).draft().build()), hexOf(frame))
  })
  t.test('bit 1 where there is no second bitmap', async t => {
    const codec = compileSpec(
      dialect([field(2)], { bitmap: { ...bitmap, extension: 'forbidden' } }),
    )
    const frame = Buffer.from('30323030C00000000000000041414141', 'hex')
    t.equal(reject(() => codec.parse(frame)).code, 'CODEC_BITMAP')
    t.equal(reject(() => codec.create('0200').set(65, 'A').build()).code, 'CODEC_VALUE')
  })
})

const EMV: CompositeSpec = {
  kind: 'ber-tlv',
  unknown: 'keep',
  fields: [
    field('9F02', { content: 'n', data: 'bcd-left-0', unit: 'digits', size: 12, length: { form: 'rest' } }),
    field('5A', { content: 'n', data: 'bcd-right-f', unit: 'encoded', size: 10, length: { form: 'rest' }, mask: 'pan' }),
    field('50', { size: 16, length: { form: 'rest' } }),
    field('70', {
      content: 'b', data: 'binary', unit: 'bytes', size: 250, length: { form: 'rest' },
      children: { kind: 'ber-tlv', unknown: 'error', fields: [field('50', { size: 16, length: { form: 'rest' } })] },
    }),
  ],
} // prettier-ignore

t.test('composites of every kind', async t => {
  const tagged = (more: Partial<Extract<CompositeSpec, { kind: 'tagged' }>>): CompositeSpec => ({
    kind: 'tagged',
    tag: { encoding: 'ascii', size: 2 },
    length: LL,
    order: 'tag-length',
    lengthCountsTag: false,
    unknown: 'keep',
    fields: [field('PI', { length: { form: 'rest' }, size: 10, content: 'n' })],
    ...more,
  })
  const bitmapped = (
    more: Partial<Extract<CompositeSpec, { kind: 'bitmapped' }>>,
  ): CompositeSpec => ({
    kind: 'bitmapped',
    bitmap: { encoding: 'binary', bytes: 8, extension: 'always', most: 1 },
    headerBytes: 0,
    fields: [field(1), field(2, { length: LL, size: 20 }), field(64)],
    ...more,
  })
  const rows: [title: string, spec: CompositeSpec, parts: PlainMessage['fields'], hex: string][] = [
    ['positional', { kind: 'positional', shorter: false, fields: [field(1), field(2)] }, { '1': 'AAAA', '2': 'BBBB' }, '4141414142424242'],
    ['positional, shorter', { kind: 'positional', shorter: true, fields: [field(1), field(2)] }, { '1': 'AAAA' }, '41414141'],
    ['bitmapped, bit 1 is a field', bitmapped({}), { '1': 'AAAA', '2': 'BB' }, 'C000000000000000 41414141 30324242'],
    ['bitmapped, two bytes', bitmapped({ bitmap: { encoding: 'binary', bytes: 2, extension: 'always', most: 1 }, fields: [field(1), field(16)] }), { '1': 'AAAA', '16': 'BBBB' }, '8001 41414141 42424242'],
    ['bitmapped, two bytes and two more', bitmapped({ bitmap: { encoding: 'binary', bytes: 2, extension: 'auto', most: 2 }, fields: [field(2), field(18)] }), { '2': 'AAAA', '18': 'BBBB' }, 'C0004000 41414141 42424242'],
    ['bitmapped, in hexadecimal, with a header', bitmapped({ headerBytes: 1, bitmap: { encoding: 'hex-ascii', bytes: 8, extension: 'always', most: 1 } }), { header: '07', '64': 'AAAA' }, `07 ${'30'.repeat(15)} 31 41414141`],
    ['tag, length', tagged({}), { PI: '123', XX: 'abc' }, '50493033313233 58583033616263'],
    ['length, tag', tagged({ order: 'length-tag', lengthCountsTag: true }), { PI: '123', XX: 'abc' }, '30355049313233 30355858616263'],
    ['length without tag, tag', tagged({ order: 'length-tag' }), { PI: '123' }, '30335049313233'],
    ['binary tags', tagged({ tag: { encoding: 'binary', size: 1 }, length: { form: 'ber' }, fields: [field('1F', { length: { form: 'rest' }, size: 200 })] }), { '1F': 'A'.repeat(130), FF: '0102' }, `1F8182 ${'41'.repeat(130)} FF020102`],
    ['tags in BCD', tagged({ tag: { encoding: 'bcd-left-0', size: 3 }, fields: [field('007', { length: { form: 'rest' }, size: 9 })] }), { '007': 'A', '012': 'FF' }, '0007303141 00123031FF'],
    ['repeated tags in order', tagged({}), { PI: ['1', '2'], XX: 'a', $order: ['PI', 'XX', 'PI'] }, '5049303131 5858303161 5049303132'],
    ['BER-TLV', EMV, { '9F02': '000000000100', '5A': '12345', '82': '5C00', $order: ['9F02', '5A', '82'] }, '9F0206000000000100 5A0312345F 82025C00'],
    ['BER-TLV, constructed', EMV, { '70': { '50': 'VISA' }, E1: { '9F02': '000000000100', DF01: '' } }, '7006 500456495341 E10C 9F0206000000000100 DF0100'],
    ['an unknown constructed tag that is none', EMV, { E1: '0102030405' }, 'E1050102030405'],
    ['datasets', { kind: 'datasets', unknown: 'keep', datasets: [{ id: '01', name: 'a', form: 'tlv', fields: [field('80', { length: { form: 'rest' }, size: 9 })] }] }, { '01': { '80': 'AB' }, '20': 'FFFF', $order: ['01', '20'] }, '010004 80024142 200002FFFF'],
    ['a dataset with a bitmap', { kind: 'datasets', unknown: 'error', datasets: [{ id: '71-73', name: 'a', form: 'dbm', fields: [field(1), field(14), field(15), field(22), field('80', { length: { form: 'rest' }, size: 9 })] }] }, { '72': { '1': 'AAAA', '14': 'BBBB' } }, '72000A 4002 4141414142424242'],
    ['a dataset with more bitmaps', { kind: 'datasets', unknown: 'error', datasets: [{ id: '71', name: 'a', form: 'dbm', fields: [field(1), field(14), field(15), field(22), field('80', { length: { form: 'rest' }, size: 9 })] }] }, { '71': { '15': 'AAAA', '22': 'BBBB' } }, '71000C 80018100 4141414142424242'],
    ['a dataset with TLVs behind', { kind: 'datasets', unknown: 'error', datasets: [{ id: '71', name: 'a', form: 'dbm', fields: [field(1), field('80', { length: { form: 'rest' }, size: 9 })] }] }, { '71': { '1': 'AAAA', '80': 'B' } }, '710009 4001 41414141 800142'],
  ] // prettier-ignore
  for (const [title, spec, parts, hex] of rows) {
    t.test(title, async t => {
      const codec = withParts(spec)
      const frame = same(t, codec, { mti: '0200', fields: { '48': parts } })
      t.equal(hexOf(frame), hexOf(frame48(hex)))
      const asText = codec.create('0200').set(48, packed(hex)).build()
      t.equal(hexOf(asText), hexOf(frame), 'the whole as text')
    })
  }
  t.test('a composite inside of hexadecimal', async t => {
    const spec = { data: 'hex-ascii' } as const
    const codec = withParts({ kind: 'positional', shorter: false, fields: [field(1)] }, spec)
    const frame = same(t, codec, { mti: '0200', fields: { '48': { '1': 'ABCD' } } })
    t.ok(hexOf(frame).endsWith(packed('303034 3431343234333434')))
    t.equal(codec.parse(frame).at('48.1'), 'ABCD')
    t.equal(hexOf(codec.path('48.1').readBytes(codec.parse(frame)) as Uint8Array), '41424344')
  })
})

t.test('paths read, and change one part and nothing else', async t => {
  const codec = withParts(EMV)
  const hex = '9F0206000000000100 DF01020102 E109 9F0206000000000200 DF01020304'
  const message = codec.parse(frame48(hex))
  t.equal(message.at('48.9F02'), '000000000100')
  t.equal(message.at('48.E1.9F02'), '000000000200')
  t.equal(message.at('48.DF01'), '0102')
  t.equal(message.at('48.DF01[1]'), '0304')
  t.equal(message.at('48.DF01[2]'), undefined)
  t.equal(message.at('48.50'), undefined)
  t.equal(hexOf(codec.path('48.E1.9F02').readBytes(message) as Uint8Array), '000000000200')
  const changed = message
    .draft()
    .setAt('48.E1.9F02', '000000000999')
    .setAt('48.DF01[1]', 'FF')
    .build()
  t.equal(
    hexOf(changed),
    hexOf(frame48(hex.replace('000200', '000999').replace('DF01020304', 'DF0101FF'))),
  )
  t.equal(
    codec.parse(codec.create('0200').setAt('48.70.50', 'VISA').build()).at('48.70.50'),
    'VISA',
  )
  for (const path of ['', '0', '999', '48.', '48.9', '48.70.9F02', '47', '48..50', '48[1]']) {
    t.equal(reject(() => codec.path(path)).code, 'CODEC_PATH', path)
  }
})

t.test('composites are checked to the last byte when a frame is parsed', async t => {
  const positional: CompositeSpec = {
    kind: 'positional',
    shorter: false,
    fields: [field(1), field(2)],
  }
  const rows: [title: string, spec: CompositeSpec, hex: string, code: ErrorCode, path: string][] = [
    ['too short', positional, '41414141', 'CODEC_TRUNCATED', '48.2'],
    ['too long', positional, '41'.repeat(9), 'CODEC_TRAILING', '48'],
    ['wrong class', positional, '4141414142420742', 'CODEC_CONTENT', '48.2'],
    ['a BER length of five bytes', EMV, '9F02850000000001 00', 'CODEC_LENGTH', '48'],
    ['a BER length of 2^31', EMV, '9F028480000000 00', 'CODEC_TRUNCATED', '48'],
    ['a BER length of 2^32 - 1', EMV, '9F0284FFFFFFFF 00', 'CODEC_TRUNCATED', '48'],
    ['an indefinite BER length', EMV, '9F0280 0000', 'CODEC_LENGTH', '48'],
    ['a value cut off', EMV, '9F020600', 'CODEC_TRUNCATED', '48'],
    ['a tag without a length', EMV, '9F02', 'CODEC_TRUNCATED', '48'],
    ['half a tag', EMV, '9F', 'CODEC_TRUNCATED', '48'],
    ['a tag without an end', EMV, '9FFFFFFFFF00', 'CODEC_LENGTH', '48'],
    ['padding of zeros', EMV, '5000 00', 'CODEC_LENGTH', '48'],
    ['a value too long', EMV, `9F0207 ${'00'.repeat(7)}`, 'CODEC_LENGTH', '48.9F02'],
    ['a half-byte that is no digit', EMV, '9F0201 0A', 'CODEC_CONTENT', '48.9F02'],
    ['an unknown tag where none may be', EMV, '7003 9F0200', 'CODEC_UNDEFINED_FIELD', '48.70.9F02'],
    ['a wrong class inside of an unknown template', EMV, 'E104 50020741', 'CODEC_CONTENT', '48.*.50'],
    ['a dataset without content', { kind: 'datasets', unknown: 'keep', datasets: [] }, '010000', 'CODEC_LENGTH', '48.01'],
    ['half a dataset', { kind: 'datasets', unknown: 'keep', datasets: [] }, '010002FF', 'CODEC_TRUNCATED', '48.01'],
    ['an undefined bit', { kind: 'bitmapped', headerBytes: 0, bitmap: { encoding: 'binary', bytes: 2, extension: 'always', most: 1 }, fields: [field(1)] }, '4000', 'CODEC_UNDEFINED_FIELD', '48.2'],
    ['bit 1 that is forbidden', { kind: 'bitmapped', headerBytes: 0, bitmap: { encoding: 'binary', bytes: 2, extension: 'forbidden', most: 1 }, fields: [field(2)] }, '8000', 'CODEC_BITMAP', '48.bitmap'],
  ] // prettier-ignore
  for (const [title, spec, hex, code, path] of rows) {
    const error = reject(() => withParts(spec).parse(frame48(hex)))
    t.match({ code: error.code, path: error.path }, { code, path }, title)
    t.type(error.offset, 'number')
    const plain = reject(() => withParts(spec).create('0200').set(48, packed(hex)).build())
    t.equal(plain.code, 'CODEC_VALUE', `${title}, written`)
  }
  let deep = '9F02'
  for (let i = 0; i < 200; i++)
    deep = `E1${(deep.length / 2).toString(16).padStart(2, '0')}${deep}`.slice(0, 250)
  t.doesNotThrow(() => withParts(EMV).parsePartly(frame48(deep)))
})

t.test('leniencies, each by its name', async t => {
  const two: CompositeSpec = { kind: 'positional', shorter: false, fields: [field(1), field(2)] }
  const base = dialect([
    field(2), field(9), field(11), bytes(52, 2, { data: 'hex-ascii' }),
    bytes(47, 99, { length: LLL, children: two }), bytes(48, 99, { length: LLL, children: EMV }),
  ]) // prettier-ignore
  const inHex = { ...base, bitmap: { ...base.bitmap, encoding: 'hex-ascii' as const } }
  const frame = (mti: string, bitmap: string, rest: string): Buffer =>
    Buffer.concat([Buffer.from(mti), Buffer.from(bitmap, 'hex'), Buffer.from(rest, 'latin1')])
  const rows: [name: keyof typeof LENIENCIES, spec: MessageSpec, frame: Buffer, code: ErrorCode][] = [
    ['trailing-bytes', base, frame('0200', '4000000000000000', 'AAAAxx'), 'CODEC_TRAILING'],
    ['content-class', base, frame('0200', '4000000000000000', 'A\x07AA'), 'CODEC_CONTENT'],
    ['undefined-zero-bits', base, frame('0200', '4000000000000001', 'AAAA'), 'CODEC_UNDEFINED_FIELD'],
    ['lower-case-hex', base, frame('0200', '0000000000001000', '01af'), 'CODEC_CONTENT'],
    ['lower-case-hex', inHex, frame('0200', '', '00a0000000000000AAAABBBB'), 'CODEC_BITMAP'],
    ['short-composite', base, frame('0200', '0000000000020000', '004AAAA'), 'CODEC_TRUNCATED'],
    ['reserved-mti', base, frame('0900', '4000000000000000', 'AAAA'), 'CODEC_MTI'],
    ['tlv-padding', base, frame48('5001410000'), 'CODEC_LENGTH'],
  ] // prettier-ignore
  t.same(new Set(rows.map(([name]) => name)), new Set(Object.keys(LENIENCIES)), 'all of them')
  for (const [name, spec, bytes, code] of rows) {
    t.equal(reject(() => compileSpec(spec).parse(bytes)).code, code, name)
    const message = compileSpec(spec, { lenient: [name] }).parse(bytes)
    message.toPlain()
    const written = hexOf(message.draft().build())
    // Bitmaps are always written in upper case, and what was passed over is not repeated.
    const exact = name !== 'trailing-bytes' && code !== 'CODEC_BITMAP'
    if (exact) t.equal(written, hexOf(bytes), `${name}, copied`)
  }
})

t.test('a value that does not fit is refused with its path', async t => {
  const codec = compileSpec(PURCHASE_SPEC)
  const rows: [number: number, value: unknown][] = [
    [2, '4'.repeat(20)], [3, '12345'], [3, '1234567'], [3, '12345X'], [3, ''], [4, 'abcdefghijkl'],
    [35, 'A'], [37, '123456789012\u0130'], [37, '12345678901\u0130'], [43, `${'A'.repeat(39)}\u0131`], [43, `${'A'.repeat(39)}\x07`],
    [48, 'A'.repeat(1000)], [48, 'é'], [48, '\u{1F600}'], [52, '0123'], [52, '0123456789ABCDEX'], [52, '0123456789ABCDE'],
    [62, '\0'], [5, 'A'], [0, 'A'], [193, 'A'], [-1, 'A'], [1, 'A'], [65, 'A'], [3, 123456], [3, undefined], [48, null],
  ] // prettier-ignore
  for (const [number, value] of rows) {
    const error = reject(() =>
      codec
        .create('0200')
        .set(number, value as string)
        .build(),
    )
    t.equal(error.code, 'CODEC_VALUE', `${number}: ${String(value).slice(0, 10)}`)
    if (number > 1 && number < 64) t.equal(error.path, String(number))
  }
  for (const mti of ['200', '02000', 'abcd', '', '1200', '0000']) {
    t.ok(['CODEC_VALUE', 'CODEC_MTI'].includes(reject(() => codec.create(mti).build()).code), mti)
  }
  t.equal(reject(() => codec.create('0200').setBytes(3, Buffer.from('12345X')).build()).path, '3')
})

t.test('what one build leaves undone does not show in the next', async t => {
  const codec = compileSpec(PURCHASE_SPEC)
  reject(() => codec.create('0200').set(2, '4111').set(3, 'X').build())
  t.ok(purchaseFrame().equals(codec.parse(purchaseFrame()).draft().build()))
  const frames = Array.from({ length: 2000 }, (_, i) =>
    codec
      .create('0200')
      .set(11, String(i).padStart(6, '0'))
      .set(48, 'x'.repeat(i % 900))
      .build(),
  )
  frames.forEach((frame, i) => {
    if (codec.parse(frame).get(11) !== String(i).padStart(6, '0'))
      t.fail(`frame ${i} was overwritten`)
  })
  const big = compileSpec(dialect([bytes(48, 999_999, { length: { ...LL, digits: 6 } })]))
  t.equal(big.create('0200').setBytes(48, Buffer.alloc(500_000)).build().length, 500_018)
  t.ok(purchaseFrame().equals(codec.parse(purchaseFrame()).draft().build()))
})

const OVERLAID = dialect(
  [...PURCHASE_SPEC.fields.filter(({ id }) => id !== '48'), field(48, { length: LLL, size: 999 })],
  {
    overlays: [
      {
        when: { mti: ['02.0'] },
        mandatory: ['3', '11', '48'], conditional: [], forbidden: ['52'], echoed: ['11'],
        allowed: [{ path: '49', values: ['360'] }], fields: [],
      },
      {
        when: { mti: ['0200'], processing: ['38'] },
        mandatory: [], conditional: [], forbidden: [], echoed: [], allowed: [],
        fields: [field(48, { length: LLL, size: 99, children: { kind: 'positional', shorter: false, fields: [field(1), field(2)] } })],
      },
      {
        when: { mti: ['0210'], response: ['00'] },
        mandatory: ['48.2'], conditional: [], forbidden: [], echoed: [], allowed: [],
        fields: [field(48, { length: LLL, size: 99, children: { kind: 'positional', shorter: false, fields: [field(1, { size: 2 }), field(2)] } })],
      },
    ],
  },
) // prettier-ignore

t.test('a writer copies what a draft does, and from its own dialect only', async t => {
  const codec = compileSpec(PURCHASE_SPEC)
  const message = codec.parse(purchaseFrame())
  const writer = codec.writer()
  const lists = [[], [3], [2, 3, 4, 7], [2, 5, 62], [3, 11, 12, 49, 62], [...message.numbers]]
  for (const numbers of lists) {
    const copied = writer.begin('0210').copy(message, numbers).end()
    t.equal(hexOf(copied), hexOf(message.answer(numbers).build()), String(numbers))
    const all = [...new Set([...numbers, 48])].toSorted((a, b) => a - b)
    const around = message.answer(all).set(39, '00').build()
    const [before, after] = [all.filter(n => n < 39), all.filter(n => n > 39)]
    const inPlace = writer.begin('0210').copy(message, before).set(39, '00')
    t.equal(hexOf(inPlace.copy(message, after).end()), hexOf(around))
  }
  t.match(
    reject(() => writer.begin('0210').copy(message, [4, 3])),
    { code: 'CODEC_VALUE' },
  )
  const other = compileSpec(PURCHASE_SPEC).parse(purchaseFrame())
  t.match(
    reject(() => writer.begin('0210').copy(other, [3])),
    { code: 'CODEC_VALUE' },
  )
})

t.test('a writer writes in place what a draft does', async t => {
  const writer = compileSpec(PURCHASE_SPEC).writer()
  for (let round = 0; round < 300; round++) {
    writer.begin('0200')
    for (const [number, value] of PURCHASE_VALUES) writer.set(number, value)
    if (!purchaseFrame().equals(writer.end())) t.fail(`round ${round}`)
    reject(() => writer.begin('0200').set(4, '000000000001').set(3, '000000'))
    reject(() => writer.begin('0200').set(3, 'X'))
    reject(() => writer.begin('0200').set(5, 'X'))
  }
  const fields = [field(2), field(66), bytes(128, 2)]
  const third = { ...PURCHASE_SPEC.bitmap, tertiaryField: 65 }
  for (const more of [{}, { headerBytes: 2 }, { bitmap: third }]) {
    const codec = compileSpec(dialect(fields, more))
    const header = codec.spec.headerBytes > 0 ? Buffer.from('CAFE', 'hex') : undefined
    const frame = codec.writer().begin('0200', header).set(2, 'AAAA').set(66, 'BBBB').setBytes(128, Buffer.from('0102', 'hex')).end() // prettier-ignore
    const values = { mti: '0200', fields: { '2': 'AAAA', '66': 'BBBB', '128': '0102' } }
    t.equal(hexOf(frame), hexOf(codec.fromPlain(header ? { header: 'CAFE', ...values } : values)))
    reject(() => codec.writer().begin('0200').set(66, 'BBBB').set(2, 'AAAA'))
    const pieces = codec.writer().begin('0200').open(2).digits(7, 3).text('x').close().end()
    t.equal(codec.parse(pieces).get(2), '007x')
    reject(() => codec.writer().begin('0200').open(2).digits(1234, 3))
    reject(() => codec.writer().begin('0200').open(2).text('12345').close().end())
    reject(() => codec.writer().begin('0200').open(2).text('\u0130bcd').close().end())
  }
  const long = writer.begin('0200').open(48).text('a').digits(12, 5).close().end()
  t.equal(compileSpec(PURCHASE_SPEC).parse(long).get(48), 'a00012')
  t.equal(reject(() => writer.begin('0200').open(48).text('\x07').close()).path, '48')
  t.equal(reject(() => writer.begin('0200').open(48).end()).path, '48')
  const overlaid = compileSpec(OVERLAID)
  const asked = overlaid.writer().begin('0200').set(3, '380000').set(48, 'AAAABBBB').end()
  t.equal(overlaid.parse(asked).at('48.2'), 'BBBB')
})

t.test('overlays choose the layout and say what is wrong', async t => {
  const codec = compileSpec(OVERLAID)
  const asked = codec.fromPlain({ mti: '0200', fields: { '3': '380000', '11': '000001', '48': { '1': 'AAAA', '2': 'BBBB' } } }) // prettier-ignore
  const request = codec.parse(asked)
  t.equal(request.at('48.2'), 'BBBB')
  t.equal(hexOf(request.draft().build()), hexOf(asked))
  t.same(codec.validate(request), [])
  const opaque = codec.parse(codec.create('0200').set(3, '000000').set(48, 'anything').build())
  t.equal(opaque.get(48), 'anything')
  t.equal(opaque.at('48.2'), undefined)
  t.same(
    codec.validate(opaque).map(({ path, rule }) => [path, rule]),
    [['11', 'mandatory']],
  )
  const answer = codec.parse(
    request.answer([3]).set(11, '000002').set(39, '00').setAt('48.1', 'CC').setAt('48.2', 'DDDD').set(49, '840').setBytes(52, Buffer.alloc(8)).build(),
  ) // prettier-ignore
  t.equal(answer.at('48.1'), 'CC')
  t.same(
    codec.validate(answer, request).map(({ path, rule }) => [path, rule]),
    [['52', 'forbidden'], ['49', 'allowed'], ['11', 'echoed']],
  ) // prettier-ignore
  const declined = codec.parse(request.answer([11, 48]).set(39, '05').build())
  t.equal(declined.get(48), 'AAAABBBB', 'copied as the value, where the layout is another')
})

t.test('a spec that contradicts itself is refused with the field', async t => {
  const rows: [title: string, spec: MessageSpec, path: string][] = [
    ['described twice', dialect([field(2), field(2)]), '2'],
    ['beyond the third bitmap', dialect([field(193)]), '193'],
    ['no number', dialect([field('PI')]), 'PI'],
    ['too long for its length', dialect([field(2, { length: LL, size: 100 })]), '2'],
    ['half a byte', dialect([bytes(2, 3, { unit: 'nibbles' })]), '2'],
    ['not whole', dialect([field(2, { size: 1.5 })]), '2'],
    ['no tag', dialect([field(2, { children: { kind: 'ber-tlv', unknown: 'keep', fields: [field('9F')] } })]), '2.9F'],
    ['filled without a length', dialect([field(2, { filled: true })]), '2'],
    ['padding of two', dialect([field(2, { pad: { side: 'left', char: '00', trim: false } })]), '2'],
    ['a third bitmap in a described field', dialect([field(65)], { bitmap: { ...PURCHASE_SPEC.bitmap, tertiaryField: 65 } }), '65'],
  ] // prettier-ignore
  for (const [title, spec, path] of rows) {
    const error = reject(() => compileSpec(spec))
    t.match({ code: error.code, path: error.path }, { code: 'CODEC_SPEC', path }, title)
  }
  let deep = field('1', { length: LLL, size: 999 })
  for (let i = 0; i < 12; i++) deep = field('1', { length: LLL, size: 999, children: { kind: 'positional', shorter: true, fields: [deep] } }) // prettier-ignore
  t.equal(reject(() => compileSpec(dialect([{ ...deep, id: '2' }]))).code, 'CODEC_SPEC')
})

t.test('message types', async t => {
  const rows: [mti: string, kinds: string, version: number | undefined, response?: string, repeat?: string, advice?: string, reversal?: string][] = [
    ['0100', 'request', 1987, '0110', '0101', '0120', '0400'],
    ['0201', 'request repeat', 1987, '0210', '0201', '0220', '0401'],
    ['1220', 'request advice', 1993, '1230', '1221', '1220', '1400'],
    ['0421', 'request advice reversal repeat', 1987, '0430', '0421', '0420', '0401'],
    ['2400', 'request reversal', 2003, '2410', '2401', '2420', '2400'],
    ['0800', 'request network', 1987, '0810', '0801', '0820', '0400'],
    ['0810', 'response network', 1987],
    ['1430', 'response advice reversal', 1993],
    ['0240', '', 1987, '0250', '0241', '0220', '0400'],
    ['0202', 'request', 1987, '0212', '0203', '0222', '0402'],
    ['8100', 'request', undefined, '8110', '8101', '8120', '8400'],
  ] // prettier-ignore
  const tests = { request: isRequest, response: isResponse, advice: isAdvice, reversal: isReversal, network: isNetwork, repeat: isRepeat } // prettier-ignore
  for (const [mti, kinds, version, ...further] of rows) {
    const found = Object.entries(tests).filter(([, test]) => test(mti)).map(([kind]) => kind) // prettier-ignore
    t.same(found, kinds.split(' ').filter(Boolean), mti)
    t.equal(versionOf(mti), version)
    if (further.length === 0) t.equal(reject(() => responseOf(mti)).code, 'CODEC_VALUE')
    else t.same([responseOf(mti), repeatOf(mti), adviceOf(mti), reversalOf(mti)], further, mti)
  }
})

t.test('tracks are taken apart and put together', async t => {
  const one = 'B4761739001010010^DOE/JOHN ^28122010000012'
  t.same(parseTrack1(one), { format: 'B', pan: '4761739001010010', name: 'DOE/JOHN ', expires: '2812', service: '201', discretionary: '0000012' }) // prettier-ignore
  const two = '4761739001010010=28122010000012'
  t.same(parseTrack2(two), { pan: '4761739001010010', expires: '2812', service: '201', discretionary: '0000012' }) // prettier-ignore
  t.same(parseTrack2(two.replace('=', 'D')), parseTrack2(two))
  t.same(parseTrack2('476173900101==201'), { pan: '476173900101', expires: undefined, service: '201', discretionary: '' }) // prettier-ignore
  const three = '014761739001010010=36036000'
  t.same(parseTrack3(three), { format: '01', pan: '4761739001010010', rest: '36036000' })
  t.equal(formatTrack1(parseTrack1(one) as Track1), one)
  for (const text of [two, '476173900101==201', '476173900101===1']) {
    t.equal(formatTrack2(parseTrack2(text) as Track2), text)
  }
  t.equal(formatTrack3(parseTrack3(three) as Track3), three)
  for (const text of ['', '=', 'X', '4761', `${'4'.repeat(20)}=2812201`, '4761=281']) {
    t.same([parseTrack1(text), parseTrack2(text)], [undefined, undefined], text)
  }
  for (const text of ['', '=', 'X', '4761', '01=1']) t.equal(parseTrack3(text), undefined, text)
})

// Properties over arbitrary dialects

const CHARS = { n: '0123456789', an: 'AZaz09', ans: 'AZaz09 =*', z: '0123456789=', h: '09AF', b: '09AF', 'x+n': '0123456789' } as const // prettier-ignore
type Content = keyof typeof CHARS

/** Contents, and the data encodings that can carry them. */
const KINDS: readonly [Content, FieldSpec['data'], FieldSpec['unit']][] = [
  ['n', 'ascii', 'characters'], ['an', 'ascii', 'characters'], ['ans', 'ascii', 'characters'], ['z', 'ascii', 'characters'],
  ['ans', 'ebcdic-037', 'characters'], ['ans', 'ebcdic-500', 'bytes'], ['n', 'ebcdic-1047', 'characters'],
  ['n', 'bcd-left-0', 'digits'], ['n', 'bcd-right-0', 'digits'], ['n', 'bcd-left-f', 'digits'], ['n', 'bcd-right-f', 'encoded'],
  ['z', 'bcd-right-f', 'digits'], ['h', 'bcd-left-0', 'digits'], ['b', 'binary', 'bytes'], ['b', 'binary', 'nibbles'],
  ['b', 'hex-ascii', 'bytes'], ['b', 'hex-ascii', 'encoded'], ['b', 'hex-ebcdic', 'bytes'], ['b', 'ebcdic-1047', 'bytes'],
  ['x+n', 'ascii', 'characters'], ['x+n', 'sign-bcd', 'characters'], ['x+n', 'sign-bcd-right-0', 'digits'],
] // prettier-ignore
const PREFIXES = ['ascii', 'ebcdic', 'bcd', 'binary', 'hex-ascii', 'hex-bcd'] as const

type Pair = { readonly spec: FieldSpec; readonly value: string }

function aField(id: string): fc.Arbitrary<Pair> {
  const kind = fc.constantFrom(...KINDS)
  const length = fc.oneof(
    fc.constant({ form: 'fixed' } as const),
    fc.constant({ form: 'ber' } as const),
    // No value below has these bytes one behind the other.
    fc.constant({ form: 'until', terminator: '1C0D1C', open: false } as const),
    fc.record({ encoding: fc.constantFrom(...PREFIXES), digits: fc.integer({ min: 2, max: 6 }), inclusive: fc.boolean() })
      .map(one => ({ form: 'prefix', ...one }) as const),
  ) // prettier-ignore
  // How many digits are in whole bytes, nobody can tell where the filler is a 0.
  const count = fc.integer({ min: 0, max: 10 }).map(half => half * 2)
  return fc.tuple(kind, length, fc.oneof(count, fc.integer({ min: 0, max: 20 }))).filter(
    ([[, data], form, count]) =>
      !(form.form === 'ber' || form.form === 'until' || (form.form === 'prefix' && form.encoding === 'hex-bcd')) ||
      !/^bcd.*0$|^sign/.test(data) || count % 2 === 0,
  ).chain(([[content, data, unit], form, count]) =>
    valueOf(content, count).map(value => {
      const probe = compileSpec(dialect([field(2, { content, data, unit, length: { form: 'ber' }, size: 999 })]))
      const units = unitsIn(probe, value)
      const size = form.form === 'fixed' ? units : units + (unit === 'nibbles' ? 6 : 5)
      return { spec: field(id, { content, data, unit, length: form, size: data.startsWith('hex') && unit === 'encoded' ? size + (size % 2) : size }), value }
    }),
  ) // prettier-ignore
}

function valueOf(content: Content, count: number): fc.Arbitrary<string> {
  const length = content === 'b' ? count * 2 : count
  const text = fc.string({ unit: fc.constantFrom(...CHARS[content].split('')), minLength: length, maxLength: length })
  if (content === 'x+n') return fc.tuple(fc.constantFrom('C', 'D'), text).map(([sign, digits]) => sign + digits)
  return text
} // prettier-ignore

/** Units of a value: found by asking for too much. */
function unitsIn(codec: IsoCodec, value: string): number {
  const { data, unit } = codec.spec.fields[0] as FieldSpec
  const wire = codec.create('0200').set(2, value).build().length - 12 - (value.length > 250 ? 2 : 1)
  if (unit === 'nibbles') return wire * 2
  if (unit === 'digits') return data.startsWith('sign') ? value.length - 1 : value.length
  if (unit === 'characters') return value.length
  if (unit === 'bytes' && data.startsWith('hex')) return wire / 2
  return wire
}

const aDialect = fc
  .uniqueArray(fc.integer({ min: 2, max: 128 }).filter(n => n !== 65), { minLength: 1, maxLength: 8 })
  .chain(numbers => fc.tuple(...numbers.map(number => aField(String(number)))))
  .chain(pairs =>
    fc.record({
      pairs: fc.constant(pairs),
      encoding: fc.constantFrom('binary', 'hex-ascii', 'hex-ebcdic'),
      mti: fc.constantFrom('ascii', 'bcd', 'ebcdic-037'),
      headerBytes: fc.integer({ min: 0, max: 3 }),
    }),
  ) // prettier-ignore

function codecFor({ pairs, encoding, mti, headerBytes }: Arb, options?: CompileOptions): IsoCodec {
  const spec = dialect(pairs.map(({ spec }) => spec), {
    headerBytes, mti: { encoding: mti, versions: [] },
    bitmap: { ...PURCHASE_SPEC.bitmap, encoding },
  }) // prettier-ignore
  return compileSpec(spec, options)
}
type Arb = typeof aDialect extends fc.Arbitrary<infer T> ? T : never

t.test('what is written in any dialect is read again', async () => {
  fc.assert(
    fc.property(aDialect, one => {
      const codec = codecFor(one)
      const draft = codec.create('0200')
      for (const { spec, value } of one.pairs) draft.set(Number(spec.id), value)
      const frame = draft.build()
      const message = codec.parse(frame)
      const right = one.pairs.every(({ spec, value }) => message.get(Number(spec.id)) === value)
      const plain = message.toPlain()
      const again = [message.draft().build(), codec.fromPlain(plain)]
      return right && again.every(bytes => hexOf(bytes) === hexOf(frame))
    }),
    { numRuns: 500 },
  )
})

t.test(
  'bytes that are accepted are written as they were; others are refused with a code',
  async () => {
    fc.assert(
      fc.property(aDialect, fc.infiniteStream(fc.nat()), (one, chance) => {
        const codec = codecFor(one)
        const draft = codec.create('0200')
        for (const { spec, value } of one.pairs) draft.set(Number(spec.id), value)
        const frame = Buffer.from(draft.build())
        for (let round = 0; round < 20; round++) {
          const changed = Buffer.from(frame)
          const next = (): number => chance.next().value as number
          changed[next() % changed.length] = next() & 0xff
          const cut = next() % 4 === 0 ? changed.subarray(0, next() % changed.length) : changed
          const { message, error } = codec.parsePartly(cut)
          message.toPlain()
          if (!error && hexOf(message.draft().build()) !== hexOf(cut)) return false
        }
        return true
      }),
      { numRuns: 300 },
    )
  },
)

t.test('random bytes are refused with a code and nothing else', async () => {
  const codecs = [
    compileSpec(PURCHASE_SPEC),
    compileSpec(OVERLAID),
    withParts(EMV),
    withParts({ kind: 'datasets', unknown: 'keep', datasets: [{ id: '01-70', name: 'a', form: 'tlv', fields: [] }, { id: '71-FE', name: 'b', form: 'dbm', fields: [field(1), field(2, { length: LL, size: 9 })] }] }),
    withParts({ kind: 'tagged', tag: { encoding: 'ascii', size: 2 }, length: LL, order: 'length-tag', lengthCountsTag: true, fields: [], unknown: 'keep' }),
    withParts({ kind: 'bitmapped', headerBytes: 1, bitmap: { encoding: 'binary', bytes: 2, extension: 'auto', most: 3 }, fields: [field(2), field(20), field(40)] }),
  ] // prettier-ignore
  fc.assert(
    fc.property(fc.constantFrom(...codecs), fc.uint8Array({ maxLength: 300 }), fc.boolean(), (codec, noise, inside) => {
      const frame = inside ? frame48(hexOf(noise)) : noise
      const { message, error } = codec.parsePartly(frame)
      const plain = message.toPlain()
      if (error) return error.path !== undefined
      const again = codec.fromPlain(plain)
      return hexOf(message.draft().build()) === hexOf(frame) && codec.parse(again).mti === message.mti
    }),
    { numRuns: 3000 },
  ) // prettier-ignore
})
