import { fromLatin1, latin1, type Random } from '#base'
import type { Framer } from '#iso8583'
import type { Message } from '#message'
import type { Pack } from '#pack'

/** Answers that are not what they should be. Frames in, frames out; the originals stay whole. */

/** Random bytes behind the message type, so that it looks like an answer and is none. */
export function garbled(frame: Uint8Array, random: Random): Uint8Array {
  const out = Uint8Array.from(frame)
  out.set(random.bytes(Math.max(0, out.length - MTI_BYTES)), Math.min(MTI_BYTES, out.length))
  return out
}

const MTI_BYTES = 4

/**
 * Another response code, be it one that the pack could never say. Where there is room for less, those
 * of its digits that the dialect does not know.
 */
export function withCode(pack: Pack, frame: Uint8Array, code: string): Uint8Array {
  const content = contentOf(pack, frame, '39')
  if (!content || content.end - content.start > code.length) return frame
  const out = Uint8Array.from(frame)
  out.set(fromLatin1(fitting(pack, code, content.end - content.start)), content.start)
  return out
}

function fitting(pack: Pack, code: string, width: number): string {
  const pieces = Array.from({ length: code.length - width + 1 }, (_, at) =>
    code.slice(at, at + width),
  )
  const nobodys = pack.meaningOf('payment', '')
  const isUnknown = (piece: string): boolean => {
    const { meaning, reason } = pack.meaningOf('payment', piece)
    return meaning === nobodys.meaning && reason === nobodys.reason
  }
  return pieces.find(isUnknown) ?? (pieces[0] as string)
}

/** DE48 without its last third; its length says so, but its layout does not fit any more. */
export function withShortData(pack: Pack, frame: Uint8Array): Uint8Array {
  const content = contentOf(pack, frame, '48')
  if (!content) return frame
  const bytes = content.end - content.start
  const left = bytes - Math.ceil(bytes / 3)
  const text = latin1(frame)
  const prefix = String(left).padStart(LLL_DIGITS, '0')
  const head = text.slice(0, content.start - LLL_DIGITS) + prefix
  return fromLatin1(
    head + text.slice(content.start, content.start + left) + text.slice(content.end),
  )
}

const LLL_DIGITS = 3

/** The frame behind a header that cannot be: the stream is beyond repair from here. */
export function withWrongLength(framing: Framer, frame: Uint8Array): Uint8Array {
  const out = Buffer.from(framing.wrap(frame))
  const header = out.indexOf(frame)
  out.fill(0xff, 0, Math.max(1, header))
  return out
}

/**
 * As if it answered a request that nobody sent: every digit of the audit number, and of the
 * reference that the other side gave, turned round.
 */
export function withOtherTrace(message: Message): Message {
  const { trace, reference } = message
  const own = reference?.own
  const other = { ...message, trace: turned(trace) }
  return own === undefined ? other : { ...other, reference: { ...reference, own: turned(own) } }
}

function turned(digits: string): string {
  return digits.replace(/\d/g, digit => String(9 - Number(digit)))
}

/** One rupiah more than was asked. */
export function withOtherAmount(message: Message): Message {
  const { amountMinor } = message
  if (amountMinor === undefined) return message
  return { ...message, amountMinor: (amountMinor + 100n) as typeof amountMinor }
}

/** Where a data element's content stands, without its length prefix. */
function contentOf(pack: Pack, frame: Uint8Array, path: string) {
  const field = pack.describe(frame).find(({ path: its }) => its === path)
  if (!field) return undefined
  return { start: field.offset, end: field.offset + field.length }
}
