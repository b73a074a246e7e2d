import { isNadiError, NadiError } from '#base'
import { CHANNELS } from '../../src/iso8583/framing/channels.ts'
import { compileFraming } from '../../src/iso8583/framing/compile.ts'
import type { Framer, Measure } from '../../src/iso8583/framing/framing.ts'
import type { FramingSpec } from '../../src/iso8583/framing/spec.ts'
import { hexOf, hold } from './hold.ts'

/** Messages whose first byte says how long they are: what a codec would find out. */
const measure: Measure = bytes => {
  const size = bytes[0]
  if (size === undefined) return undefined
  if (size === 0) throw new NadiError('CODEC_LENGTH')
  return bytes.length < size ? undefined : size
}

const FRAME_BYTES_MAX = 600

type Channel = { readonly spec: FramingSpec; readonly framer: Framer }

const ALL: readonly Channel[] = Object.values(CHANNELS).map(({ framing }) => {
  const spec: FramingSpec = { ...framing, frameBytesMax: FRAME_BYTES_MAX }
  return { spec, framer: compileFraming(spec, { measure }) }
})
const isZipped = ({ spec }: Channel): boolean => spec.compressed !== undefined
const PLAIN = ALL.filter(channel => !isZipped(channel))
const ZIPPED = ALL.filter(isZipped)

/** A header where one has to be given. */
export const TPDU = Buffer.from('6000010002', 'hex')

/** What a reader makes of a stream: all that is told of it, and whether it was refused. */
type Cut = { readonly told: string[]; readonly refused: boolean; readonly pending: number }

/**
 *     ┌─────────┬──────┬─────────────┐
 *     │ channel │ cuts │ the stream  │     cuts: where chunks end, as a small generator's seed
 *     └─────────┴──────┴─────────────┘
 */
export function frames(data: Uint8Array): void {
  inChannel(PLAIN, data)
}

/**
 * Compressed frames. Node gives an inflater back when the event loop turns, as it does between two
 * chunks from a socket; so this one must not be run in one go, as all others are.
 */
export function gzip(data: Uint8Array): void {
  inChannel(ZIPPED, data)
}

function inChannel(channels: readonly Channel[], data: Uint8Array): void {
  const { framer, spec } = channels[(data[0] ?? 0) % channels.length] as Channel
  const stream = data.subarray(2)
  const whole = cut(framer, [stream])
  const pieces = cut(framer, chunksOf(stream, data[1] ?? 0))
  hold(whole.refused === pieces.refused, 'chunks do not decide whether a stream is refused')
  hold(same(whole.told, pieces.told), 'chunks do not decide what is in a stream')
  if (!whole.refused) hold(whole.pending === pieces.pending, 'nor what is left of it')
  comesBack(framer, spec, stream)
}

function cut(framer: Framer, chunks: readonly Uint8Array[]): Cut {
  const reader = framer.reader()
  const told: string[] = []
  const onFrame = (frame: Uint8Array, header: Uint8Array): void => {
    hold(frame.length >= 1 && frame.length <= FRAME_BYTES_MAX, 'frames are of a possible size')
    told.push(`${hexOf(header)} ${hexOf(frame)}`)
    framer.answerHeader(header)
  }
  try {
    for (const chunk of chunks) {
      reader.push(chunk, onFrame, () => told.push('keep-alive'))
      hold(reader.bytesPending <= 2 * FRAME_BYTES_MAX + 1024, 'what is kept is bounded')
    }
    reader.pause(onFrame)
    return { told, refused: false, pending: reader.bytesPending }
  } catch (error) {
    if (!isNadiError(error)) throw error
    return { told, refused: true, pending: 0 }
  }
}

/** A body that can be wrapped is read as it was. */
function comesBack(framer: Framer, { header, length }: FramingSpec, body: Uint8Array): void {
  // Only a codec knows what ends such a frame, and any body can be wrapped.
  if (length.form === 'none' && length.ends === 'message') return
  let wire: Uint8Array
  try {
    wire = framer.wrap(body, header?.form === 'tpdu' ? TPDU : undefined)
  } catch (error) {
    if (isNadiError(error)) return
    throw error
  }
  const { told, refused } = cut(framer, [wire])
  hold(!refused && told.length === 1, 'one frame comes back')
  hold(told[0]?.endsWith(` ${hexOf(body)}`) === true, 'as it was')
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index])
}

/** Pieces of 1 to 16 bytes, or of one byte each. */
function chunksOf(stream: Uint8Array, seed: number): Uint8Array[] {
  const chunks: Uint8Array[] = []
  let state = seed
  for (let at = 0; at < stream.length;) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff
    const end = at + (seed === 0 ? 1 : 1 + ((state >> 16) & 15))
    chunks.push(stream.subarray(at, end))
    at = end
  }
  return chunks
}

/** Where each framing stands among those of its target: the first byte of its inputs. */
export const CHANNEL_BYTES = ALL.map(channel => ({
  target: isZipped(channel) ? 'gzip' : 'frames',
  byte: (isZipped(channel) ? ZIPPED : PLAIN).indexOf(channel),
}))
