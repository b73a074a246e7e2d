import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { fromHex, NadiError, toHex } from '#base'
import { compileFraming, type FramingSpec } from '#iso8583'

/** The framings that packs describe part by part: what the wire holds, however it is cut. */
const bytes = (text: string) => Buffer.from(text, 'latin1')

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
