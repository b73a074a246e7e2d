import type { FastifyRequest } from 'fastify'
import type { TxnId } from '#base'
import { writeHttpRequest, writeHttpResponse } from '#http'
import type { Evidence } from '#journal'
import type { Message } from '#message'
import type { Incoming } from '#switch'
import type { ApiAnswer } from './answer.ts'
import type { Asker } from './auth.ts'
import type { ApiParts } from './parts.ts'
import { ApiProblem } from './problem.ts'

/** By this name the frames of the API are found in the journal and read again (frames.ts). */
export const API_PACK = 'partner-api'

/** One authenticated request. */
export type Ask = {
  readonly partner: Asker
  readonly request: FastifyRequest
  /** As it came, byte for byte. */
  readonly body: Uint8Array
}

export type Render = (answer: Message, payment: TxnId | undefined) => ApiAnswer

/**
 * Hands a message to the switch and resolves with the answer that it gives, which was recorded
 * before it was made known (law 1). Undefined when it takes longer than `waitMs`: the switch goes
 * on, and what it then says is on record and can be looked up.
 */
export function exchange(
  parts: Pick<ApiParts, 'clock' | 'switch' | 'name' | 'vault'>,
  { partner, request, body }: Ask,
  message: Message,
  waitMs: number,
  render: Render,
): Promise<ApiAnswer | undefined> {
  const { clock } = parts
  const evidence = (direction: 'in' | 'out', bytes: Uint8Array): Evidence => ({
    atMs: clock.nowMs(),
    side: 'source',
    direction,
    via: parts.name,
    pack: API_PACK,
    bytes,
  })
  const written = new Map<Evidence, ApiAnswer>()
  return new Promise((resolve, reject) => {
    const callOff = clock.at(clock.nowMs() + waitMs, () => resolve(undefined))
    const incoming: Incoming = {
      // From here on a payer's PAN is sealed; nothing that the API tells has one.
      message: parts.vault?.hide(message) ?? message,
      atMs: clock.nowMs(),
      sessionPartner: partner.id,
      evidence: evidence('in', requestFrame(request, body)),
      write(answer, payment) {
        const made = render(answer, payment)
        const frame = evidence('out', writeHttpResponse(made))
        written.set(frame, made)
        return frame
      },
      send(frame) {
        callOff()
        resolve(written.get(frame))
      },
      drop() {
        callOff()
        reject(new ApiProblem('internal'))
      },
    }
    parts.switch.accept(incoming)
  })
}

/** What tells how the request was meant. What proves who sent it is no evidence of that. */
const KEPT_HEADERS = ['host', 'content-type', 'idempotency-key', 'prefer', 'user-agent'] as const

function requestFrame({ method, raw, headers }: FastifyRequest, body: Uint8Array): Uint8Array {
  const kept: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') kept[name] = value
  }
  return writeHttpRequest({ method, target: raw.url ?? '/', headers: kept, body })
}
