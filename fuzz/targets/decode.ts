import { isNadiError } from '#base'
import type { IsoCodec, IsoMessage } from '../../src/iso8583/codec/codec.ts'
import { isRequest } from '../../src/iso8583/codec/mti.ts'
import { type Dialect, DIALECTS } from './dialects.ts'
import { hexOf, hold } from './hold.ts'

/** Before the frame stands one byte that says which dialect it is read in. */
export function decode(data: Uint8Array): void {
  const { codec, strict } = DIALECTS[(data[0] ?? 0) % DIALECTS.length] as Dialect
  const frame = data.subarray(1)
  const { message, error } = codec.parsePartly(frame)
  readAll(message)
  if (error) {
    hold(error.path !== undefined, 'an error says where')
    return
  }
  codec.validate(message, message)
  if (strict) readsAgain(codec, message)
  else message.draft().build()
}

/** Whatever was found whole can be read, however the rest is broken. */
function readAll(message: IsoMessage): void {
  for (const number of message.numbers) {
    hold(message.has(number), 'what is listed is there')
    hold(message.get(number) !== undefined, 'what is there has a value')
    hold(message.raw(number) !== undefined, 'what is there has bytes')
  }
  message.toPlain()
}

/** What was accepted is written byte by byte, and its values make a message that says the same. */
function readsAgain(codec: IsoCodec, message: IsoMessage): void {
  hold(hexOf(message.draft().build()) === hexOf(message.frame), 'a copy is the same')
  const plain = message.toPlain()
  const again = codec.parse(codec.fromPlain(plain))
  hold(JSON.stringify(again.toPlain()) === JSON.stringify(plain), 'values written are read again')
  if (message.mti !== '' && isRequest(message.mti)) {
    const copied = message.numbers.filter(number => number % 2 === 0)
    codec.parse(answerOf(message, copied) ?? message.frame)
  }
}

/** Elements may have another layout in the answer, where they need not fit. */
function answerOf(message: IsoMessage, copied: readonly number[]): Uint8Array | undefined {
  try {
    return message.answer(copied).build()
  } catch (error) {
    if (isNadiError(error)) return undefined
    throw error
  }
}

/** JSON of a message's values, behind the byte that says the dialect: a frame, or a refusal. */
export function encode(data: Uint8Array): void {
  const { codec } = DIALECTS[(data[0] ?? 0) % DIALECTS.length] as Dialect
  let frame: Uint8Array
  try {
    const plain: unknown = JSON.parse(Buffer.from(data.subarray(1)).toString('utf8'))
    frame = codec.fromPlain(plain as Parameters<IsoCodec['fromPlain']>[0])
  } catch (error) {
    if (isNadiError(error) || error instanceof SyntaxError) return
    throw error
  }
  codec.parse(frame)
}
