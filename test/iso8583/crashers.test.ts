/**
 * What fuzzing found, each as small as it can be told, and all that the corpus holds: the same
 * targets as in fuzz/, without a fuzzer.
 */
import t from 'tap'
import { CHANNELS } from '../../src/iso8583/framing/channels.ts'
import { kept } from '../../fuzz/corpus.ts'
import { SEEDS } from '../../fuzz/seeds.ts'
import { DIALECTS } from '../../fuzz/targets/dialects.ts'
import { CHANNEL_BYTES } from '../../fuzz/targets/frames.ts'
import { TARGETS } from '../../fuzz/targets/index.ts'

type Target = keyof typeof TARGETS
const NAMES = Object.keys(TARGETS) as Target[]

/** Values of a message as JSON, in a dialect of fuzz/tables. */
function values(dialect: string, fields: unknown, more: object = {}): Buffer {
  const index = DIALECTS.findIndex(({ codec }) => codec.spec.name === dialect)
  const json = JSON.stringify({ mti: '0200', ...(fields === undefined ? {} : { fields }), ...more })
  return Buffer.concat([Buffer.of(index), Buffer.from(json)])
}

/** A frame in a dialect of fuzz/tables, in hexadecimal. */
function frame(dialect: string, hex: string): Buffer {
  const index = DIALECTS.findIndex(({ codec }) => codec.spec.name === dialect)
  return Buffer.concat([Buffer.of(index), Buffer.from(hex.replaceAll(' ', ''), 'hex')])
}

/** A stream in a framing; `cuts` 0 is byte by byte. */
function stream(channel: keyof typeof CHANNELS, text: string, cuts = 0): Buffer {
  const at = CHANNEL_BYTES[Object.keys(CHANNELS).indexOf(channel)]
  return Buffer.concat([Buffer.of(at?.byte ?? 0, cuts), Buffer.from(text, 'latin1')])
}

/** A packager file whose elements are these, behind MTI and bitmap. */
function packager(elements: string, bitmap = '16', more = ''): Buffer {
  return Buffer.from(`<isopackager ${more}>
<isofield id="0" length="4" name="mti" class="IFA_NUMERIC"/>
<isofield id="1" length="${bitmap}" name="bitmap" class="IFB_BITMAP"/>
${elements}</isopackager>`)
}

const sequence = (token: string): string =>
  `<isofieldpackager id="48" length="99" name="x" token="${token}" class="IFA_LLLCHAR" packager="TaggedSequencePackager">
<isofield id="1" length="9" token="${token}" name="y" class="IFTA_LLCHAR"/></isofieldpackager>`

function moovTag(tag: string): Buffer {
  const part = { type: 'String', length: 9, description: 'x', enc: 'ASCII', prefix: 'BerTLV' }
  const field = {
    type: 'Composite',
    length: 99,
    description: 'x',
    prefix: 'ASCII.LLL',
    tag: { enc: 'BerTLVTag', sort: 'StringsByHex' },
    subfields: { [tag]: part },
  }
  return Buffer.from(JSON.stringify({ name: 'x', fields: { 55: field } }))
}

const rows: [title: string, target: Target, input: Uint8Array][] = [
  ['a body one shorter than what ends a document', 'frames', stream('log', 'deff@')],
  ['a body that begins with a blank, which is passed over', 'frames', stream('log', ' </log>')],
  ['a frame longer than is allowed by what ends it', 'frames', stream('base24', `${'A'.repeat(601)}\x03`)],
  ['no fields', 'encode', values('features', undefined)],
  ['fields that are null', 'encode', values('features', null)],
  ['an MTI that is a number', 'encode', values('features', {}, { mti: 200 })],
  ['a header that is a number', 'encode', values('features', {}, { header: 1 })],
  ['a value that is null', 'encode', values('features', { 3: null })],
  ['an amount without even its sign', 'encode', values('features', { 11: '' })],
  ['a tag without its leading zero', 'encode', values('features', { 48: { 1: '#'.repeat(20) } })],
  ['a part whose bytes the whole does not allow', 'encode', values('features', { 49: { '1F': '7F' } })],
  ['an unknown tag of characters that the whole does not allow', 'encode', values('features', { 48: { XX: '\x7f' } })],
  ['an order that forgets a repeated tag', 'encode', values('features', { 48: { XX: ['1', '2'], $order: ['XX'] } })],
  ['an order of numbers', 'encode', values('features', { 48: { XX: '1', $order: [1] } })],
  ['parts without a bitmap, of which there are none', 'decode', frame('features', '000030323030 0000000000000040 303030')],
  ['an empty part that only its terminator shows', 'decode', frame('bare', '1110 041111 0004 31313130 06500431313131 1C 1C')],
  ['a tag of its own that is too long', 'jpos', packager('<isofield id="100" length="9" name="x" class="IFA_TTLLCHAR"/>')],
  ['an id with a leading zero', 'jpos', packager('<isofield id="08" length="9" name="x" class="IF_CHAR"/>')],
  ['a third bitmap without a second', 'jpos', packager('<isofield id="80" length="9" name="x" class="IF_CHAR"/>', '8', 'thirdBitmapField="65"')],
  ['a bitmap of no length', 'jpos', packager('', 'x6')],
  ['a bitmap of length 0', 'jpos', packager('', '0')],
  ['tags longer than any', 'jpos', packager(sequence('0'.repeat(66)))],
  ['tags that are not ASCII', 'jpos', packager(sequence('\u00e9\u00e9'))],
  ['a name of control characters', 'jpos', packager('<isofield id="2" length="9" name="a\u0001b" class="IF_CHAR"/>')],
  ['a size larger than any', 'moov', Buffer.from('{"fields":{"39":{"type":"String","length":2222222,"enc":"ASCII","prefix":"ASCII.Fixed"}}}')],
  ['an amount with a sign and no length', 'jpos', packager('<isofield id="4" length="0" name="a" class="org.jpos.iso.IFA_AMOUNT"/>')],
  ['a tag that is none', 'moov', moovTag('5\u00000')],
  ['a name that is longer as JSON', 'table', Buffer.from(`fields: { 2: "n 16 \\"amo${'\\\\u0000'.repeat(150)}\\"" }`)],
] // prettier-ignore

t.test('what fuzzing found does no harm any more', async t => {
  for (const [title, target, input] of rows) t.doesNotThrow(() => TARGETS[target](input), title)
})

t.test('nothing that is kept or begun with does harm', async t => {
  for (const target of NAMES) {
    const inputs = [...kept(target), ...(SEEDS[target]?.() ?? [])]
    const wrong = inputs.flatMap(input => {
      try {
        TARGETS[target](input)
        return []
      } catch (error) {
        return [`${Buffer.from(input).toString('base64').slice(0, 200)}: ${String(error)}`]
      }
    })
    t.same(wrong.slice(0, 3), [], `${target}: ${inputs.length} inputs`)
  }
  t.same(NAMES.toSorted(), Object.keys(SEEDS).toSorted(), 'every target begins with something')
})
