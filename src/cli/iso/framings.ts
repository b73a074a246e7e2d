import {
  CHANNELS,
  compileFraming,
  measureBy,
  type Framer,
  type FramingSpec,
  type IsoCodec,
} from '#iso8583'
import { isNadiError } from '#base'
import { UsageError } from '../usage.ts'

export type NamedFraming = {
  readonly name: string
  readonly text: string
  readonly framer: Framer
}

/**
 * `nac`, or with the header that is sent `nac-tpdu:6000010002`. Framings that only the codec can
 * end need it.
 */
export function framingOf(text: string, codec?: IsoCodec): NamedFraming {
  const [name = '', header] = text.toLowerCase().split(':')
  const channel = Object.hasOwn(CHANNELS, name)
    ? CHANNELS[name as keyof typeof CHANNELS]
    : undefined
  if (!channel) {
    const known = Object.keys(CHANNELS).join(', ')
    throw new UsageError(`there is no framing ${name}; there are ${known}`)
  }
  try {
    const framer = compileFraming(withHeader(channel.framing, header), measureOf(codec))
    return { name: text, text: channel.text, framer }
  } catch (error) {
    if (!isNadiError(error, 'CODEC_SPEC')) throw error
    throw new UsageError(`the framing ${text} cannot be: expected ${error.expected}`)
  }
}

function withHeader(spec: FramingSpec, send: string | undefined): FramingSpec {
  if (send === undefined) return spec
  const { header } = spec
  if (header?.form === 'tpdu' || header?.form === 'opaque')
    return { ...spec, header: { ...header, send } }
  if (header?.form === 'base24') return { ...spec, header: { ...header, send: send.toUpperCase() } }
  throw new UsageError('only framings with a TPDU or the header of BASE24 are given one to send')
}

const measureOf = (codec: IsoCodec | undefined) => (codec ? { measure: measureBy(codec) } : {})

/** Framings that a dump is tried with, the frequent ones first. */
const TRIED = [
  'nac',
  'ascii',
  'nac-inclusive',
  'nac-tpdu',
  'base24tcp',
  'le2',
  'le2-etx',
  'hex',
  'hex-etx',
  'bcd',
  'ncc-tpdu',
  'cs',
  'gicc',
  'vap',
  'raw',
  'le4',
  'ascii5',
  'cmf',
  'rbp',
  'nac-base24',
  'base24',
  'gzip',
  'line',
  'ff',
] as const

export function triedFramings(): NamedFraming[] {
  return TRIED.map(name => framingOf(name))
}

export type Unframed = { readonly frames: Uint8Array[]; readonly headers: Uint8Array[] }

/** The bodies in some bytes when the framing accounts for all of them, else undefined. */
export function unframe({ framer }: NamedFraming, bytes: Uint8Array): Unframed | undefined {
  const out: Unframed = { frames: [], headers: [] }
  const take = (frame: Uint8Array, header: Uint8Array): void => {
    out.frames.push(Uint8Array.from(frame))
    out.headers.push(Uint8Array.from(header))
  }
  try {
    const reader = framer.reader()
    reader.push(bytes, take)
    reader.pause(take)
    return reader.bytesPending === 0 && out.frames.length > 0 ? out : undefined
  } catch (error) {
    if (isNadiError(error)) return undefined
    throw error
  }
}
