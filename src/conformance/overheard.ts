import type { Clock } from '#base'
import type { Message } from '#message'
import type { HttpPack, Pack, PackRead } from '#pack'
import { linesOf } from './crossed.ts'
import type { Crossed } from './report.ts'

/** One message that our server side read or wrote. */
export type Heard = {
  readonly atMs: number
  /** From the partner, or our answer. */
  readonly from: 'partner' | 'us'
  /** Undefined when it could not be read: `error` says why. */
  readonly message: Message | undefined
  readonly error: string | undefined
  readonly frame: Uint8Array
}

/** The same dialect, whose every message on the server side is noted. */
export function overheard(
  pack: Pack | HttpPack,
  clock: Clock,
  note: (heard: Heard) => void,
): Pack | HttpPack {
  const noted = (read: PackRead, frame: Uint8Array): PackRead => {
    const message = read.tag === 'message' ? read.message : undefined
    const error = read.tag === 'reject' ? read.reject.error.message : undefined
    note({ atMs: clock.nowMs(), from: 'partner', message, error, frame: Buffer.from(frame) })
    return read
  }
  const said = (message: Message, frame: Uint8Array): Uint8Array => {
    const copy = Buffer.from(frame)
    note({ atMs: clock.nowMs(), from: 'us', message, error: undefined, frame: copy })
    return frame
  }
  if (!('transport' in pack)) {
    return {
      ...partsOf(pack),
      read: frame => noted(pack.read(frame), frame),
      write: (message: Message) => said(message, pack.write(message)),
    }
  }
  return {
    ...httpPartsOf(pack),
    readRequest: frame => noted(pack.readRequest(frame), frame),
    // What is only tried out is no answer.
    write: (message: Message, asked?: Message) =>
      message.direction === 'response'
        ? said(message, pack.write(message, asked))
        : pack.write(message, asked),
  }
}

/** A pack without its class: what it is made of stays with it. */
function partsOf(pack: Pack): Pack {
  const { name, framing, codec, conversation, recovery, products, traceDigits } = pack
  return {
    name,
    framing,
    codec,
    conversation,
    recovery,
    products,
    traceDigits,
    makeReference: pack.makeReference,
    carries: (kind, product) => pack.carries(kind, product),
    read: frame => pack.read(frame),
    write: message => pack.write(message),
    writeReject: (reject, reason) => pack.writeReject(reject, reason),
    matchKey: message => pack.matchKey(message),
    codeOf: reason => pack.codeOf(reason),
    meaningOf: (kind, code) => pack.meaningOf(kind, code),
    describe: (frame, options) => pack.describe(frame, options),
  }
}

function httpPartsOf(pack: HttpPack): HttpPack {
  const { name, conversation, recovery, products, credentials, withoutInquiry } = pack
  const { transport, needsOwnReference, callback, session } = pack
  return {
    transport,
    name,
    conversation,
    recovery,
    products,
    credentials,
    withoutInquiry,
    needsOwnReference,
    callback,
    session,
    carries: (kind, product) => pack.carries(kind, product),
    with: given => pack.with(given),
    write: (message, asked) => pack.write(message, asked),
    readAnswer: (frame, asked) => pack.readAnswer(frame, asked),
    readRequest: frame => pack.readRequest(frame),
    writeReject: (error, reason, asked) => pack.writeReject(error, reason, asked),
    seal: (frame, context) => pack.seal(frame, context),
    opens: (frame, context) => pack.opens(frame, context),
    matchKey: message => pack.matchKey(message),
    codeOf: reason => pack.codeOf(reason),
    meaningOf: (kind, code) => pack.meaningOf(kind, code),
    describe: (frame, options) => pack.describe(frame, options),
  }
}

export function crossedOf(pack: Pack | HttpPack, { atMs, from, message, frame }: Heard): Crossed {
  const what = message
    ? `${message.kind}${message.repeat ? ', again' : ''}${from === 'us' ? ', answered' : ''}`
    : 'what cannot be read'
  return { atMs, direction: from === 'us' ? 'sent' : 'got', what, lines: linesOf(pack, frame) }
}
