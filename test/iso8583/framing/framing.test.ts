import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { test } from 'tap'
import { fromHex, isNadiError, NadiError, toHex } from '#base'
import {
  CHANNELS,
  compileFraming,
  type Framer,
  type ChannelName,
  type FramingSpec,
  type Measure,
} from '#iso8583'

/** Messages whose first two characters say how long they are: what a codec would find out. */
const measure: Measure = bytes => {
  if (bytes.length < 2) return undefined
  const size = Number(Buffer.from(bytes.subarray(0, 2)).toString('latin1'))
  if (!(size >= 2)) throw new NadiError('CODEC_LENGTH')
  return bytes.length < size ? undefined : size
}

const hexed = (hex: string) => fromHex(hex) as Uint8Array

type Cut = { frames: string[]; headers: string[]; keepAlives: number; pending: number }

function cut(framer: Framer, chunks: readonly Uint8Array[], pause = true): Cut {
  const reader = framer.reader()
  const out: Cut = { frames: [], headers: [], keepAlives: 0, pending: 0 }
  const onFrame = (frame: Uint8Array, header: Uint8Array) => {
    out.frames.push(toHex(frame))
    out.headers.push(toHex(header))
  }
  for (const chunk of chunks) reader.push(chunk, onFrame, () => out.keepAlives++)
  if (pause) reader.pause(onFrame)
  out.pending = reader.bytesPending
  return out
}

const bytewise = (wire: Uint8Array) => [...wire].map(byte => Uint8Array.of(byte))

// The wire forms of the reference's channels, where they are at hand.

const VECTORS = join(
  process.env['NADI_REFERENCE'] ?? '../shared/reference',
  'iso8583-framing-vectors.jsonl',
)

type Vector = { channel: string; cfg: string; header: string | null; body: string; wire: string }

/** The names of the vectors' channels with their configuration. */
function channelOf({ channel, cfg, header }: Vector): { name: ChannelName; spec: FramingSpec } {
  const name = channel.replace(/Channel$/, '')
  const named: Record<string, ChannelName> = {
    'ASCII length-digits=5': 'ascii5',
    'NAC include-header-length=true': 'nac-inclusive',
    'NAC HDR': 'nac-tpdu',
    'NAC HDR;tpdu-swap=false': 'nac-tpdu-kept',
    'NCC HDR': 'ncc-tpdu',
    TelnetXML: 'telnet-xml',
  }
  const known = named[`${name} ${cfg}`.trim()] ?? (name.toLowerCase() as ChannelName)
  const spec: FramingSpec = CHANNELS[known].framing
  const [, source, destination] = /^srcid=(\d+);dstid=(\d+)$/.exec(cfg) ?? []
  if (source && destination) {
    return { name: known, spec: { ...spec, header: { form: 'base1', source, destination } } }
  }
  if (header && !spec.header) throw new Error(`${channel} has no header`)
  return { name: known, spec }
}

const vectorsThere = existsSync(VECTORS)
test('the wire forms of 24 channels', { skip: !vectorsThere && `no ${VECTORS}` }, async t => {
  const vectors = readFileSync(VECTORS, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Vector)
  t.equal(vectors.length, 24)
  for (const vector of vectors) {
    const { name, spec } = channelOf(vector)
    const wire = hexed(vector.wire)
    // XML is another codec: its frame is the document itself.
    const isXml = name === 'xml' || name === 'telnet-xml'
    const body = isXml ? vector.wire.replace(/0a$/, '') : vector.body
    const framer = compileFraming(spec, { measure: bytes => (bytes.length < 55 ? undefined : 55) })
    const title = `${vector.channel} ${vector.cfg}`
    const header = vector.header === null ? undefined : framer.answerHeader(hexed(vector.header))
    // There are many ways to compress; ours must be as long as it says and read back (below).
    if (name === 'gzip') t.match(toHex(framer.wrap(hexed(body))), /^00371f8b/, `${title}: written`)
    else t.equal(toHex(framer.wrap(hexed(body), header)), vector.wire, `${title}: written`)
    for (const chunks of [[wire], bytewise(wire), [Buffer.concat([wire])]]) {
      t.match(cut(framer, chunks), { frames: [body], pending: 0 }, `${title}: read`)
    }
    const [came] = cut(framer, [wire]).headers
    if (header) t.equal(came, toHex(header), `${title}: the header comes with the frame`)
  }
})

// What every channel of the table keeps

for (const [name, { framing, text }] of Object.entries(CHANNELS)) {
  test(`${name}: ${text}`, async t => {
    const spec: FramingSpec = framing
    const framer = compileFraming(spec, { measure })
    const isDocument = spec.length.form === 'document'
    const end = spec.length.form === 'document' ? spec.length.text : ''
    const body = Buffer.from(isDocument ? `<a>17</a>${end}` : '17abcdefghijklmno', 'latin1')
    const header = spec.header?.form === 'tpdu' ? hexed('6000010002') : undefined
    const wire = framer.wrap(body, header)
    const hex = toHex(body)
    t.match(cut(framer, [wire]), { frames: [hex], pending: 0 }, 'whole')
    t.match(cut(framer, bytewise(wire)), { frames: [hex], pending: 0 }, 'byte by byte')
    if (!framer.endsByPause) {
      const three = Buffer.concat([wire, wire, wire])
      t.match(cut(framer, [three]), { frames: [hex, hex, hex], pending: 0 }, 'three at once')
      for (let at = 1; at < three.length; at++) {
        const cuts = [three.subarray(0, at), three.subarray(at)]
        t.match(cut(framer, cuts), { frames: [hex, hex, hex], pending: 0 }, `cut at ${at}`)
      }
    }
    const { keepAlive } = framer
    t.equal(keepAlive !== undefined, spec.keepAlive !== undefined, 'keep-alives as the spec says')
    if (keepAlive) {
      const stream = Buffer.concat([keepAlive, wire, keepAlive, keepAlive])
      for (const chunks of [[stream], bytewise(stream)]) {
        t.match(cut(framer, chunks), { frames: [hex], keepAlives: 3, pending: 0 }, 'keep-alives')
      }
    }
    t.throws(() => framer.wrap(Buffer.alloc(0), header), { code: 'FRAME_LENGTH' }, 'empty')
    t.throws(
      () => framer.wrap(Buffer.alloc(spec.frameBytesMax + 1), header),
      { code: 'FRAME_LENGTH' },
      'too long',
    )
  })
}

const base: FramingSpec = {
  length: { form: 'binary', bytes: 2, order: 'big' },
  counts: { itself: false, trailer: false },
  frameBytesMax: 200,
}

test('parts go together as they are described', async t => {
  const rows: [title: string, spec: FramingSpec, body: string, wire: string][] = [
    ['one byte', { ...base, length: { form: 'binary', bytes: 1, order: 'big' } }, '41', '0141'],
    [
      'three bytes little-endian',
      { ...base, length: { form: 'binary', bytes: 3, order: 'little' } },
      '41',
      '01000041',
    ],
    ['BCD of 3 bytes', { ...base, length: { form: 'bcd', bytes: 3 } }, '414243', '000003414243'],
    [
      'an offset before the length, which counts all of the prefix',
      {
        ...base,
        before: 'aabb',
        after: '..',
        counts: { ...base.counts, itself: true, constants: true },
      },
      '41',
      'aabb00060041',
    ],
    ['a trailer of two bytes', { ...base, trailer: [13, 10] }, '41', '0001410d0a'],
    [
      'a trailer of two bytes that is counted',
      { ...base, trailer: [13, 10], counts: { itself: true, trailer: true } },
      '41',
      '0005410d0a',
    ],
    [
      'a header that is not counted',
      {
        ...base,
        header: { form: 'opaque', bytes: 3, send: '010203' },
        counts: { ...base.counts, header: false },
      },
      '4142',
      '00020102034142',
    ],
    ['a new line ends it', CHANNELS.line.framing, '4142', '41420a'],
    ['two bytes end it', { ...CHANNELS.line.framing, trailer: [13, 10] }, '410d42', '410d420d0a'],
    ['little-endian with ETX', CHANNELS['le2-etx'].framing, '4142', '0200414203'],
    ['hex with ETX', CHANNELS['hex-etx'].framing, '4142', '30303032414203'],
    [
      'the header of BASE24',
      CHANNELS['nac-base24'].framing,
      '30383030',
      `0010${Buffer.from('ISO015000010').toString('hex')}30383030`,
    ],
  ]
  for (const [title, spec, body, wire] of rows) {
    const framer = compileFraming(spec)
    t.equal(toHex(framer.wrap(hexed(body))), wire, title)
    t.match(cut(framer, [hexed(wire)]), { frames: [body], pending: 0 }, title)
    t.match(cut(framer, bytewise(hexed(wire))), { frames: [body], pending: 0 }, title)
  }
})

test('the header of an answer', async t => {
  const base1 = `160102004d654321123456${'00'.repeat(11)}`
  const rows: [title: string, spec: FramingSpec, came: string, answer: string][] = [
    ['a TPDU is turned round', CHANNELS['nac-tpdu'].framing, '6000010002', '6000020001'],
    ['a TPDU is repeated', CHANNELS['nac-tpdu-kept'].framing, '6000010002', '6000010002'],
    [
      'BASE I is turned round',
      CHANNELS.vap.framing,
      base1,
      base1.replace(/(.{10})(.{6})(.{6})/, '$1$3$2'),
    ],
    [
      'of two BASE I headers the second one counts',
      CHANNELS.vap.framing,
      `1a81${'00'.repeat(24)}${base1}`,
      base1.replace(/(.{10})(.{6})(.{6})/, '$1$3$2'),
    ],
    [
      'BASE24 names the responder',
      CHANNELS['nac-base24'].framing,
      Buffer.from('ISO015000010').toString('hex'),
      Buffer.from('ISO015000013').toString('hex'),
    ],
    ['no header, no answer to it', base, '', ''],
  ]
  for (const [title, spec, came, answer] of rows) {
    t.equal(toHex(compileFraming(spec).answerHeader(hexed(came))), answer, title)
  }
  const vap = compileFraming(CHANNELS.vap.framing)
  const rejected = `1a81${'00'.repeat(24)}${base1}`
  const wire = hexed(`00320000${rejected}3038`)
  t.match(cut(vap, [wire]), { frames: ['3038'], headers: [rejected] }, 'a reject has two headers')
})

test('what cannot be is refused at once, whole or byte by byte', async t => {
  const bomb = Buffer.from(compileFraming(CHANNELS.gzip.framing).wrap(Buffer.alloc(60_000)))
  const rows: [title: string, spec: FramingSpec, hex: string][] = [
    ['BCD with a letter', CHANNELS.bcd.framing, '00a1'],
    ['three bytes of ones', { ...CHANNELS.cmf.framing, frameBytesMax: 100 }, 'ffffff'],
    ['the wrong protocol identifier', CHANNELS.rbp.framing, 'd04b0001000041'],
    ['a record that goes on in the next one', CHANNELS.rbp.framing, 'd04a0001010041'],
    ['only a TPDU', CHANNELS['nac-tpdu'].framing, '00056000010002'],
    ['half a TPDU', CHANNELS['nac-tpdu'].framing, '0002600041'],
    ['a BASE I header of nothing', CHANNELS.vap.framing, '00030000004142'],
    ['a BASE I header beyond the frame', CHANNELS.vap.framing, `00180000ff${'00'.repeat(23)}`],
    [
      'a second BASE I header beyond the frame',
      CHANNELS.vap.framing,
      `001800001680${'00'.repeat(22)}`,
    ],
    ['not BASE24', CHANNELS['nac-base24'].framing, `000d${'41'.repeat(13)}`],
    ['no terminator in sight', { ...CHANNELS.base24.framing, frameBytesMax: 20 }, '41'.repeat(22)],
    ['two terminators', CHANNELS.base24.framing, '410303'],
    ['a document without end', { ...CHANNELS.xml.framing, frameBytesMax: 30 }, '3c'.repeat(32)],
    ['no pause in sight', { ...CHANNELS.x25.framing, frameBytesMax: 20 }, '41'.repeat(21)],
    ['not gzip', CHANNELS.gzip.framing, '00044142434445'],
    ['more than may be unpacked', { ...CHANNELS.gzip.framing, frameBytesMax: 1000 }, toHex(bomb)],
    [
      'nothing but keep-alives',
      { ...CHANNELS.cmf.framing, keepAlive: { answered: true, inARowMax: 3 } },
      '000000'.repeat(4),
    ],
    ['keep-alives where there are none', CHANNELS.nac.framing, '0000'],
    ['the wrong trailer of two', { ...base, trailer: [13, 10] }, '0001410d0d'],
  ]
  for (const [title, spec, hex] of rows) {
    const framer = compileFraming(spec)
    t.throws(() => cut(framer, [hexed(hex)]), { code: 'FRAME_LENGTH' }, title)
    t.throws(
      () => cut(framer, bytewise(hexed(hex))),
      { code: 'FRAME_LENGTH' },
      `${title}, by bytes`,
    )
  }
})

test('what would not come back is not written', async t => {
  const rows: [title: string, spec: FramingSpec, body: string, code: string][] = [
    ['the terminator inside', CHANNELS.base24.framing, '410341', 'CODEC_VALUE'],
    [
      'a terminator made by body and trailer',
      { ...CHANNELS.line.framing, trailer: [13, 13] },
      '410d',
      'CODEC_VALUE',
    ],
    ['no document', CHANNELS.xml.framing, '3c', 'CODEC_VALUE'],
    ['two documents', CHANNELS.xml.framing, '3c2f69736f6d73673e'.repeat(2), 'CODEC_VALUE'],
    ['no header to send', CHANNELS['nac-tpdu'].framing, '41', 'FRAME_LENGTH'],
  ]
  for (const [title, spec, body, code] of rows) {
    t.throws(() => compileFraming(spec).wrap(hexed(body)), { code }, title)
  }
})

test('a framing that contradicts itself does not compile', async t => {
  const rows: [title: string, spec: FramingSpec][] = [
    ['nothing ends it', { ...base, length: { form: 'none', ends: 'trailer' } }],
    ['no codec', CHANNELS.pad.framing],
    ['half a byte', { ...base, before: 'a' }],
    ['half a wildcard', { ...base, before: 'a.' }],
    ['constants without a length', { ...CHANNELS.line.framing, after: '00' }],
    ['a TPDU of four bytes', { ...base, header: { form: 'tpdu', swap: true, send: '60000100' } }],
    [
      'a station of two bytes',
      { ...base, header: { form: 'base1', source: '1234', destination: '000000' } },
    ],
    ['BASE24 of 11', { ...base, header: { form: 'base24', send: 'ISO01500001', responder: '3' } }],
    [
      'a header of any size that is not counted',
      {
        ...base,
        header: { form: 'base1', source: '000000', destination: '000000' },
        counts: { ...base.counts, header: false },
      },
    ],
  ]
  for (const [title, spec] of rows) {
    t.throws(() => compileFraming(spec), { code: 'CODEC_SPEC', path: /^framing/ }, title)
  }
})

const names = Object.keys(CHANNELS).filter(name => name !== 'x25') as ChannelName[]

test('however a stream is cut, its frames are the same', async () => {
  const aText = fc.string({
    unit: fc.constantFrom('0', '9', 'A', 'Z', ' ', 'a', 'z'),
    maxLength: 90,
  })
  const someCuts = fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 30 })
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.array(aText, { maxLength: 8 }),
      someCuts,
      (name, texts, cuts) => {
        const spec: FramingSpec = CHANNELS[name].framing
        const framer = compileFraming(spec, { measure })
        const end = spec.length.form === 'document' ? spec.length.text : ''
        const bodies = texts.map(text =>
          Buffer.from(`${String(text.length + 2).padStart(2, '0')}${text}${end}`, 'latin1'),
        )
        const header = spec.header?.form === 'tpdu' ? hexed('6000010002') : undefined
        const stream = Buffer.concat(bodies.map(body => framer.wrap(body, header)))
        const chunks: Buffer[] = []
        let at = 0
        for (const size of [...cuts, stream.length]) {
          chunks.push(stream.subarray(at, at + size))
          at = Math.min(stream.length, at + size)
        }
        return isDeepStrictEqual(cut(framer, chunks).frames, bodies.map(toHex))
      },
    ),
  )
})

test('hostile bytes end in frames, in a refusal or in patience, and keep little', async () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...names, 'x25' as const),
      fc.array(fc.uint8Array({ maxLength: 60 })),
      (name, chunks) => {
        const spec: FramingSpec = { ...CHANNELS[name].framing, frameBytesMax: 100 }
        const framer = compileFraming(spec, { measure })
        const reader = framer.reader()
        try {
          for (const chunk of chunks) {
            reader.push(chunk, frame => {
              if (frame.length < 1 || frame.length > 100) throw new Error('out of bounds')
            })
            if (reader.bytesPending > 800) throw new Error('too much is kept')
          }
        } catch (error) {
          if (!isNadiError(error, 'FRAME_LENGTH') && !isNadiError(error, 'CODEC_LENGTH'))
            throw error
        }
        return true
      },
    ),
    { numRuns: 2000 },
  )
})
