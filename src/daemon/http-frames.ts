import { localTime } from '#base'
import { isHttpResponse } from '#http'
import type { Message, MessageKind } from '#message'
import type { HttpPack, Pack, PackRead } from '#pack'

/**
 * Frames of a dialect over HTTP as operators see them in the story of a payment. An answer over
 * HTTP is read beside its question, and in a story it stands behind it: so the request that was
 * read last is what an answer is taken to belong to.
 */
export function httpFrames(pack: HttpPack): Pick<Pack, 'read' | 'describe'> {
  let asked: Message | undefined
  return {
    describe: (frame, options) => pack.describe(frame, options),
    read(frame) {
      if (isHttpResponse(frame)) return readAnswer(pack, frame, asked)
      const request = pack.readRequest(frame)
      asked = request.tag === 'message' ? request.message : undefined
      if (asked || !pack.callback) return request
      return pack.callback.read(frame)
    },
  }
}

function readAnswer(pack: HttpPack, frame: Uint8Array, asked: Message | undefined): PackRead {
  if (asked) return pack.readAnswer(frame, asked)
  const reads = KINDS.map(kind => pack.readAnswer(frame, unasked(kind)))
  return reads.find(({ tag }) => tag === 'message') ?? (reads[0] as PackRead)
}

const KINDS = ['payment', 'inquiry', 'status'] as const satisfies readonly MessageKind[]

function unasked(kind: MessageKind): Message {
  return { kind, direction: 'request', repeat: false, trace: '', sentAt: localTime(0) }
}
