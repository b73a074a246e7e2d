import { readFileSync } from 'node:fs'
import { isNadiError } from '#base'
import { frame } from '../src/hsm/payshield/frame.ts'
import { COMMANDS } from '../src/hsm/payshield/grammar/index.ts'
import type { PlainMessage, PlainValue } from '../src/iso8583/codec/codec.ts'
import type { CompositeSpec, FieldSpec } from '../src/iso8583/codec/spec.ts'
import { CHANNELS } from '../src/iso8583/framing/channels.ts'
import { compileFraming } from '../src/iso8583/framing/compile.ts'
import { exportMoov, JPOS_CLASSES } from '../src/iso8583/import/index.ts'
import { DIALECTS, TABLES } from './targets/dialects.ts'
import { CHANNEL_BYTES, TPDU } from './targets/frames.ts'

/** Where fuzzing begins: one input a feature, made of what the code itself describes. */
export const SEEDS: Readonly<Record<string, () => Uint8Array[]>> = {
  decode: () => messages().map(({ dialect, frame }) => withByte(dialect, frame)),
  encode: () => messages().map(({ dialect, plain }) => withByte(dialect, JSON.stringify(plain))),
  frames: () => frames('frames'),
  gzip: () => frames('gzip'),
  host: () => hostCommands(),
  jpos: () => [bytes(jposOfEveryClass()), bytes(JPOS_PARTS)],
  moov: () => DIALECTS.map(({ codec }) => bytes(exportMoov(codec.spec).text)),
  table: () => TABLES.map(({ text }) => bytes(text)),
}

/** One message a field and a part, and one of all fields, in every dialect. */
export function messages(): { dialect: number; plain: PlainMessage; frame: Uint8Array }[] {
  return DIALECTS.flatMap(({ codec }, dialect) => {
    const [version = 0] = codec.spec.mti.versions
    const mti = codec.spec.mti.encoding === 'none' ? '' : `${version}200`
    const { fields, bitmap } = codec.spec
    const samples = fields.map(field => [field.id, sampleOf(field)] as const)
    const each = fields.flatMap(field => samplesOf(field).map(value => ({ [field.id]: value })))
    const first = samples.map((_, index) => Object.fromEntries(samples.slice(0, index + 1)))
    const some = bitmap.encoding === 'none' ? first : [...each, Object.fromEntries(samples), {}]
    return some.flatMap(fields => {
      const plain = { mti, fields }
      try {
        return [{ dialect, plain, frame: codec.fromPlain(plain) }]
      } catch (error) {
        if (isNadiError(error)) return []
        throw error
      }
    })
  })
}

/** A value that fits a field: of its class, and of its exact size or a few units. */
export function sampleOf(field: FieldSpec): PlainValue {
  const { content, children, length, size, unit, data } = field
  if (children) return partsOf(children)
  const units = length.form === 'fixed' ? size : Math.min(size, Math.max(field.sizeMin ?? 0, 4))
  if (content === 'x+n') return `C${'1'.repeat(Math.max(0, units - 1))}`
  const halves = unit === 'nibbles' || (unit === 'digits' && content === 'b')
  if (content === 'b') {
    const count = halves
      ? units / 2
      : unit === 'encoded' && data.startsWith('hex')
        ? units / 2
        : units
    return 'A1'.repeat(Math.floor(count))
  }
  const digits =
    data.startsWith('bcd') && (unit === 'encoded' || unit === 'bytes') ? 2 * units : units
  return ({ s: '-', z: '1', a: 'A', as: 'A' }[content as string] ?? '1').repeat(digits)
}

/** The same, and of a field with parts each part alone. */
function samplesOf(field: FieldSpec): PlainValue[] {
  const whole = sampleOf(field)
  if (typeof whole === 'string') return [whole]
  return [whole, ...Object.entries(whole).map(([id, part]): PlainValue => ({ [id]: part }))]
}

function partsOf(children: CompositeSpec): { [id: string]: PlainValue } {
  if (children.kind !== 'datasets') return samplesById(children.fields)
  const sets = children.datasets.map(({ id, fields }) => [id.slice(0, 2), samplesById(fields)])
  return Object.fromEntries(sets.filter(([, parts]) => Object.keys(parts as object).length > 0))
}

function samplesById(fields: readonly FieldSpec[]): { [id: string]: PlainValue } {
  return Object.fromEntries(fields.map(field => [field.id, sampleOf(field)]))
}

/** Two frames and, where there are such, a keep-alive between them, in every framing. */
function frames(target: string): Uint8Array[] {
  return Object.values(CHANNELS).flatMap(({ framing }, index) => {
    const at = CHANNEL_BYTES[index]
    if (at?.target !== target) return []
    const framer = compileFraming(framing, { measure: () => undefined })
    const body = bytes(
      framing.length.form === 'document' ? `<a>${framing.length.text}` : '\u0007abcdef',
    )
    const wire = framer.wrap(body, framing.header?.form === 'tpdu' ? TPDU : undefined)
    return [0, 7].map(cuts =>
      Buffer.concat([Buffer.of(at.byte, cuts), wire, framer.keepAlive ?? Buffer.alloc(0), wire]),
    )
  })
}

function jposOfEveryClass(): string {
  const fields = Object.keys(JPOS_CLASSES).map(
    (name, index) =>
      `<isofield id="${index + 2}" length="9" pad="true" name="x" class="org.jpos.iso.${name}"/>`,
  )
  return `${JPOS_HEAD}${fields.join('\n')}</isopackager>`
}

const JPOS_HEAD = `<isopackager headerLength="2" thirdBitmapField="65">
<isofield id="0" length="4" name="mti" class="org.jpos.iso.IFB_NUMERIC"/>
<isofield id="1" length="16" name="bitmap" class="org.jpos.iso.IFB_BITMAP"/>
`
const JPOS_PARTS = `${JPOS_HEAD}${[
  'GenericSubFieldPackager',
  'GenericPackager',
  'DatasetPackager',
  'BERTLVBinaryPackager',
  'TaggedSequencePackager',
  'GenericTaggedFieldsPackager',
  'Base1SubFieldPackager',
]
  .map(
    (
      packager,
      index,
    ) => `<isofieldpackager id="${index + 40}" length="99" name="x" class="org.jpos.iso.IFA_LLLCHAR"
 emitBitmap="${index % 2 === 0}" token="00" tagSize="2" lenSize="2" firstField="0" packager="org.jpos.iso.packager.${packager}">
<isofield id="0" length="8" name="b" class="org.jpos.iso.IFA_BITMAP"/>
<isofield id="1" length="8" token="01" name="p" class="org.jpos.iso.IF_TCHAR"/>
<isofield id="2" length="9" token="##" name="q" class="org.jpos.iso.IFA_LLCHAR"/></isofieldpackager>`,
  )
  .join('\n')}</isopackager>`

/** Requests and answers of a payShield, as they are known; alone, as streams, and as answers. */
function hostCommands(): Uint8Array[] {
  const file = new URL('../test/hsm/payshield/fixtures/host-commands.json', import.meta.url)
  const known = JSON.parse(readFileSync(file, 'utf8')) as {
    'host-variant-lmk': { cmd: string; request: string; result: string }[]
    'host-keyblock-lmk': { request: string; response: string }[]
  }
  const codes = Object.keys(COMMANDS)
  const requests = [
    ...known['host-variant-lmk'].map(({ cmd, request }) => cmd + request),
    ...known['host-keyblock-lmk'].map(({ request }) => request),
    ...codes,
  ]
  const answers = known['host-variant-lmk'].map(({ cmd, result }) =>
    Buffer.concat([Buffer.of(2, codes.indexOf(cmd)), bytes(result)]),
  )
  return [
    ...requests.map(request => withByte(0, request)),
    ...requests.map(request => withByte(1, frame(`0001${request}`))),
    ...answers,
  ]
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

function withByte(first: number, rest: Uint8Array | string): Uint8Array {
  return Buffer.concat([Buffer.of(first), typeof rest === 'string' ? Buffer.from(rest) : rest])
}
