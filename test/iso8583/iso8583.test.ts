import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { fromHex, isNadiError, NadiError, toHex } from '#base'
import {
  compileFraming,
  compileTable,
  decode,
  Fields,
  FrameWriter,
  parseField,
  type FieldSpec,
  type FramingSpec,
} from '#iso8583'

const bytes = (text: string) => Buffer.from(text, 'latin1')
/** A frame from its parts. */
const join = (...parts: string[]) => parts.join('')

function field(number: number, line: string): FieldSpec {
  const spec = parseField(number, line)
  if (typeof spec === 'string') throw new Error(spec)
  return spec
}

const primary = compileTable({
  bitmap: { encoding: 'hex', secondary: false },
  fields: [
    field(2, 'LLVAR n ..19 product'),
    field(11, 'n 6 trace'),
    field(41, 'ans 8 terminal'),
    field(48, 'LLLVAR ans ..20 private data, hidden'),
    field(64, 'hex 4 mac'),
  ],
})
const both = compileTable({
  bitmap: { encoding: 'hex', secondary: true },
  fields: [field(2, 'n 2 two'), field(65, 'n 2 sixty-five'), field(128, 'n 2 last')],
})

t.test('a line of a field table is read, or what is wrong with it is said', async t => {
  t.match(field(11, 'n 12 trace'), { size: 12, content: 'n', length: { form: 'fixed' } })
  t.match(field(48, 'LLLVAR ans ..999 private data 1, hidden'), {
    name: 'private data 1',
    size: 999,
    mask: 'hidden',
    length: { form: 'prefix', encoding: 'ascii', digits: 3 },
  })
  const wrong: [line: string, text: RegExp][] = [
    ['n12', /is not a field; write "n 12 name"/],
    ['nn 12 trace', /"nn" is not a content class; there are n, a, an/],
    ['n ..12 trace', /mixes fixed and variable/],
    ['LLVAR n 12 trace', /mixes fixed and variable/],
    ['LLVAR n ..100 trace', /100 is not between 1 and 99/],
    ['n 0 trace', /0 is not between 1 and/],
    ['LLLLLLLVAR n ..9 trace', /is not a field/],
  ]
  for (const [line, text] of wrong) t.match(parseField(11, line), text, line)
})

t.test('decoding finds every field where it lies', async t => {
  const frame = bytes(
    join('2100', '4020000000810001', '0599501', '000123', 'TERMINAL', '005A b-c', '0AfF'),
  )
  const fields = new Fields()
  decode(primary, frame, fields)
  t.equal(fields.mti, '2100')
  t.same(fields.numbers(), [2, 11, 41, 48, 64])
  t.same(
    fields.numbers().map(number => [fields.text(number), fields.start(number)]),
    [
      ['99501', 22],
      ['000123', 27],
      ['TERMINAL', 33],
      ['A b-c', 44],
      ['0AfF', 49],
    ],
  )
  t.throws(() => fields.text(3), /de3 is not there/)
})

t.test('a second bitmap is read where the table allows it', async t => {
  const fields = new Fields()
  decode(
    both,
    bytes(join('2100', 'C000000000000000', '8000000000000001', '11', '22', '33')),
    fields,
  )
  t.same(fields.numbers(), [2, 65, 128])
  t.equal(fields.text(128), '33')
  decode(both, bytes(join('2100', '4000000000000000', '11')), fields)
  t.same(fields.numbers(), [2])

  const writer = new FrameWriter(100, true)
  writer.begin('2100')
  for (const number of [2, 128]) {
    const codec = both.codecs[number]
    if (!codec) throw new Error('no codec')
    writer.open(codec)
    writer.digits(number % 100, 2, codec.path)
    writer.close(codec)
  }
  t.equal(
    Buffer.from(writer.end()).toString('latin1'),
    join('2100', 'C000000000000000', '0000000000000001', '02', '28'),
  )
})

const head = join('2100', '4020000000810001', '0599501')
const rest = '000123TERMINAL005A b-c0AfF'
const malformed: [title: string, frame: string, code: string, path: string, offset: number][] = [
  ['nothing', '', 'CODEC_TRUNCATED', 'mti', 0],
  ['half a type', '21', 'CODEC_TRUNCATED', 'mti', 0],
  ['letters as type', '21x0', 'CODEC_MTI', 'mti', 0],
  ['no bitmap', '2100', 'CODEC_TRUNCATED', 'bitmap', 4],
  ['half a bitmap', '2100402000000', 'CODEC_TRUNCATED', 'bitmap', 12],
  ['a bitmap that is not hex', join('2100', '40200000008100G1'), 'CODEC_BITMAP', 'bitmap', 18],
  ['bit 1 where it may not be', join('2100', 'C020000000810001'), 'CODEC_BITMAP', 'bitmap', 4],
  [
    'an undefined field',
    join('2100', '6020000000810001', '0599501') + rest,
    'CODEC_UNDEFINED_FIELD',
    'de3',
    27,
  ],
  ['a length cut in half', join('2100', '4000000000000000', '0'), 'CODEC_TRUNCATED', 'de2', 20],
  [
    'a length that is no number',
    join('2100', '4000000000000000', '0x9'),
    'CODEC_LENGTH',
    'de2',
    20,
  ],
  ['a length with a sign', join('2100', '4000000000000000', '-19'), 'CODEC_LENGTH', 'de2', 20],
  [
    'a length above the field',
    join('2100', '4000000000000000', '20') + '9'.repeat(20),
    'CODEC_LENGTH',
    'de2',
    20,
  ],
  [
    'a length beyond the frame',
    join('2100', '4000000000000000', '19') + '9'.repeat(18),
    'CODEC_TRUNCATED',
    'de2',
    22,
  ],
  ['a letter among digits', head + '0001x3' + rest.slice(6), 'CODEC_CONTENT', 'de11', 31],
  [
    'a control character',
    head + join('000123', 'TERM\0NAL') + rest.slice(14),
    'CODEC_CONTENT',
    'de41',
    37,
  ],
  [
    'a byte above ASCII',
    head + join('000123', 'TERM\xe9NAL') + rest.slice(14),
    'CODEC_CONTENT',
    'de41',
    37,
  ],
  ['a fixed field cut', head + '0001', 'CODEC_TRUNCATED', 'de11', 27],
  ['something after the end', head + rest + '\n', 'CODEC_TRAILING', 'frame', 53],
]
for (const [title, frame, code, path, offset] of malformed) {
  t.test(`refused: ${title}`, async t => {
    const fields = new Fields()
    try {
      decode(primary, bytes(frame), fields)
      t.fail('it was read')
    } catch (error) {
      t.match(error, { code, path, offset })
      t.ok(fields.numbers().every(number => fields.end(number) <= frame.length))
    }
  })
}

t.test('what was read before an error stays readable', async t => {
  const fields = new Fields()
  t.throws(() => decode(primary, bytes(head + join('000123', 'TERM')), fields))
  t.equal(fields.mti, '2100')
  t.same(fields.numbers(), [2, 11])
  t.equal(fields.text(11), '000123')
})

t.test('writing refuses what a field cannot hold', async t => {
  const writer = new FrameWriter(60)
  const codec = (number: number) => primary.codecs[number] ?? t.bailout('no codec')
  const write = (number: number, run: () => void) => () => {
    writer.begin('2100')
    const one = codec(number)
    if (!one) return
    writer.open(one)
    run()
    writer.close(one)
  }
  const rows: [title: string, run: () => void][] = [
    ['too many digits', write(11, () => writer.digits(1_234_567, 6, 'de11'))],
    [
      'digits above 31 bits that do not fit',
      write(11, () => writer.digits(99_999_999_999, 6, 'de11')),
    ],
    ['a negative number', write(11, () => writer.digits(-1, 6, 'de11'))],
    ['no number', write(11, () => writer.digits(NaN, 6, 'de11'))],
    ['too few characters for a fixed field', write(11, () => writer.chars('123', 'n', 'de11'))],
    ['letters for digits', write(11, () => writer.chars('12345x', 'n', 'de11'))],
    ['a letter outside Latin', write(48, () => writer.chars('Ł', 'ans', 'de48'))],
    [
      'a long text with a control character',
      write(48, () => writer.chars('x'.repeat(70) + '\n', 'ans', 'de48')),
    ],
    ['more than the field holds', write(48, () => writer.chars('x'.repeat(21), 'ans', 'de48'))],
    ['more than the frame holds', write(48, () => writer.chars('x'.repeat(100), 'ans', 'de48'))],
    [
      'fields out of order',
      () => {
        write(11, () => writer.digits(1, 6, 'de11'))()
        const two = codec(2)
        if (two) writer.open(two)
      },
    ],
  ]
  for (const [title, run] of rows) t.throws(run, { code: 'CODEC_VALUE' }, title)
})

t.test('what is written reads as itself, for any table and any values', async () => {
  const anField = fc.record({
    prefix: fc.constantFrom(0, 2, 3),
    content: fc.constantFrom('n', 'an', 'ans', 'hex'),
    value: fc.string({
      unit: fc.constantFrom(...Array.from('0123456789')),
      minLength: 1,
      maxLength: 90,
    }),
  })
  const aMessage = fc.array(fc.tuple(fc.integer({ min: 2, max: 128 }), anField), {
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(aMessage, fc.integer({ min: 0, max: 9999 }), (list, type) => {
      const byNumber = new Map(list)
      const numbers = [...byNumber.keys()].sort((a, b) => a - b)
      const table = compileTable({
        bitmap: { encoding: 'hex', secondary: true },
        fields: [...byNumber].map(([number, { prefix, content, value }]) =>
          field(
            number,
            prefix === 0
              ? `${content} ${value.length} x`
              : `${'L'.repeat(prefix)}VAR ${content} ..99 x`,
          ),
        ),
      })
      const writer = new FrameWriter(4096, true)
      const mti = String(type).padStart(4, '0')
      writer.begin(mti)
      for (const number of numbers) {
        const codec = table.codecs[number]
        if (!codec) return false
        writer.open(codec)
        writer.chars(byNumber.get(number)?.value ?? '', codec.spec.content, codec.path)
        writer.close(codec)
      }
      const fields = new Fields()
      decode(table, writer.end(), fields)
      return (
        fields.mti === mti &&
        numbers.every(number => fields.text(number) === byNumber.get(number)?.value) &&
        fields.numbers().length === numbers.length
      )
    }),
  )
})

t.test('random bytes are refused with a code, never otherwise', async () => {
  const fields = new Fields()
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), frame => {
      try {
        decode(primary, frame, fields)
        return true
      } catch (error) {
        return isNadiError(error) && error.code.startsWith('CODEC_')
      }
    }),
  )
})

// Framing ---------------------------------------------------------------------------------------

const body = bytes('28000010000081810000202611200605000745190013010LOKET0000000001007SWX0001')
const base = { counts: { itself: false, trailer: false }, frameBytesMax: 4096 } as const
const big2 = { form: 'binary', bytes: 2, order: 'big' } as const
const little2 = { form: 'binary', bytes: 2, order: 'little' } as const

const framings: [title: string, spec: FramingSpec, header: string, trailer: string][] = [
  ['2 bytes big-endian', { ...base, length: big2 }, '0048', ''],
  [
    '2 bytes big-endian counting itself',
    { ...base, length: big2, counts: { itself: true, trailer: false } },
    '004a',
    '',
  ],
  ['2 bytes little-endian', { ...base, length: little2 }, '4800', ''],
  [
    '2 bytes counting a trailer',
    { ...base, length: big2, counts: { itself: false, trailer: true }, trailer: 3 },
    '0049',
    '03',
  ],
  [
    '2 bytes little-endian, a trailer not counted',
    { ...base, length: little2, trailer: 3 },
    '4800',
    '03',
  ],
  [
    '4 bytes big-endian',
    { ...base, length: { form: 'binary', bytes: 4, order: 'big' } },
    '00000048',
    '',
  ],
  [
    '4 bytes little-endian counting all',
    {
      ...base,
      length: { form: 'binary', bytes: 4, order: 'little' },
      counts: { itself: true, trailer: true },
      trailer: 0xff,
    },
    '4d000000',
    'ff',
  ],
  ['4 decimal digits', { ...base, length: { form: 'decimal', digits: 4 } }, '30303732', ''],
  [
    '5 decimal digits counting themselves',
    { ...base, length: { form: 'decimal', digits: 5 }, counts: { itself: true, trailer: false } },
    '3030303737',
    '',
  ],
  [
    '4 hex digits and a trailer',
    { ...base, length: { form: 'hex', digits: 4 }, trailer: 3 },
    '30303438',
    '03',
  ],
]

function cut(frames: readonly Uint8Array[], spec: FramingSpec): string[] {
  const reader = compileFraming(spec).reader()
  const out: string[] = []
  for (const frame of frames) reader.push(frame, one => out.push(toHex(one)))
  return reader.bytesPending === 0 ? out : [...out, `${reader.bytesPending} pending`]
}

for (const [title, spec, header, trailer] of framings) {
  t.test(`framing: ${title}`, async t => {
    const wire = Buffer.from(compileFraming(spec).wrap(body))
    t.equal(toHex(wire), header + toHex(body) + trailer)
    const hex = toHex(body)
    t.same(cut([wire], spec), [hex], 'whole')
    t.same(cut([Buffer.concat([wire, wire, wire])], spec), [hex, hex, hex], 'merged')
    t.same(
      cut(
        [...wire].map(byte => Uint8Array.of(byte)),
        spec,
      ),
      [hex],
      'byte by byte',
    )
    const two = Buffer.concat([wire, wire])
    for (let at = 1; at < two.length; at++) {
      t.same(cut([two.subarray(0, at), two.subarray(at)], spec), [hex, hex], `cut at ${at}`)
    }
    t.same(cut([wire.subarray(0, wire.length - 1)], spec), [`${wire.length - 1} pending`])
  })
}

t.test('however a stream is cut, its frames are the same', async () => {
  const aBody = fc.uint8Array({ minLength: 1, maxLength: 700 })
  const someCuts = fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 30 })
  fc.assert(
    fc.property(fc.array(aBody, { maxLength: 8 }), someCuts, fc.nat(9), (bodies, cuts, which) => {
      const spec = framings[which]?.[1]
      if (!spec) return false
      const framer = compileFraming(spec)
      const stream = Buffer.concat(bodies.map(one => framer.wrap(one)))
      const chunks: Buffer[] = []
      let at = 0
      for (const size of [...cuts, stream.length]) {
        chunks.push(stream.subarray(at, at + size))
        at = Math.min(stream.length, at + size)
      }
      return isDeepStrictEqual(cut(chunks, spec), bodies.map(toHex))
    }),
  )
})

t.test('a length that cannot be breaks the stream at once', async t => {
  const small = { ...base, frameBytesMax: 100 }
  const rows: [title: string, spec: FramingSpec, hex: string][] = [
    ['zero', { ...small, length: big2 }, '0000'],
    ['one too many', { ...small, length: big2 }, '0065'],
    ['all ones', { ...small, length: big2 }, 'ffff'],
    [
      'four bytes of ones',
      { ...small, length: { form: 'binary', bytes: 4, order: 'big' } },
      'ffffffff',
    ],
    [
      'less than itself',
      { ...small, length: big2, counts: { itself: true, trailer: false } },
      '0001',
    ],
    ['only itself', { ...small, length: big2, counts: { itself: true, trailer: false } }, '0002'],
    ['not digits', { ...small, length: { form: 'decimal', digits: 4 } }, '30783430'],
    ['not hex', { ...small, length: { form: 'hex', digits: 4 } }, '3030347a'],
    ['the wrong trailer', { ...small, length: big2, trailer: 3 }, '00014104'],
  ]
  for (const [title, spec, hex] of rows) {
    const wire = fromHex(hex) as Uint8Array
    t.throws(() => cut([wire], spec), { code: 'FRAME_LENGTH' }, title)
    t.throws(
      () =>
        cut(
          [...wire].map(byte => Uint8Array.of(byte)),
          spec,
        ),
      { code: 'FRAME_LENGTH' },
      `${title}, byte by byte`,
    )
  }
})

t.test('a promise of much data takes no memory until it comes', async t => {
  const reader = compileFraming({
    ...base,
    frameBytesMax: 1_000_000,
    length: { form: 'binary', bytes: 4, order: 'big' },
  }).reader()
  reader.push(fromHex('000f4240') as Uint8Array, () => t.fail('no frame'))
  reader.push(Buffer.alloc(1000), () => t.fail('no frame'))
  t.equal(reader.bytesPending, 1004)
})

t.test('a frame that is too long or empty is not wrapped', async t => {
  const framer = compileFraming({
    ...base,
    length: { form: 'decimal', digits: 4 },
    frameBytesMax: 20_000,
  })
  t.equal(framer.frameBytesMax, 20_000)
  for (const size of [0, 10_000, 20_001]) {
    t.throws(() => framer.wrap(Buffer.alloc(size)), { code: 'FRAME_LENGTH' }, `${size}`)
  }
  t.ok(framer.wrap(Buffer.alloc(9_999)))
  t.ok(new NadiError('FRAME_LENGTH').message)
})
