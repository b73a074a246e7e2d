import { request as call } from 'undici'
import { type Clock, errorText } from '#base'
import { readHttpRequest, writeHttpResponse } from '#http'
import { type Connection, TcpDialer } from '#net'
import type { Pack } from '#pack'
import { until } from './lease.ts'
import type { Place } from './place.ts'

/** What came back on a line that we speak on by hand. */
export type Heard = { readonly frames: readonly Uint8Array[]; readonly closed: string | undefined }

/** A line of frames on which anything can be said, also what no link of ours would say. */
export class FrameSpeaker {
  readonly #pack: Pack
  readonly #clock: Clock
  readonly #connection: Connection
  readonly #frames: Uint8Array[] = []
  #connected = false
  #closed: string | undefined

  constructor(pack: Pack, place: Place & { tag: 'tcp' }, clock: Clock) {
    this.#pack = pack
    this.#clock = clock
    const reader = pack.framing.reader()
    this.#connection = new TcpDialer(place).dial({
      onConnect: () => {
        this.#connected = true
      },
      onData: chunk => {
        try {
          reader.push(chunk, frame => void this.#frames.push(Buffer.from(frame)))
        } catch (error) {
          this.#connection.destroy(errorText(error))
        }
      },
      onClose: reason => {
        this.#closed = reason
      },
    })
  }

  /** Whether there is a line. */
  async open(withinMs: number): Promise<boolean> {
    await until(this.#clock, withinMs, () => this.#connected || this.#closed !== undefined)
    return this.#connected && this.#closed === undefined
  }

  wrap(frame: Uint8Array): Uint8Array {
    return this.#pack.framing.wrap(frame).slice()
  }

  /** Bytes as they are, in so many pieces; then what comes, until it is enough or time is up. */
  async say(
    pieces: readonly Uint8Array[],
    { answers = 1, withinMs = 0 }: { answers?: number; withinMs?: number },
  ): Promise<Heard> {
    const before = this.#frames.length
    for (const piece of pieces) {
      this.#connection.write(piece)
      if (pieces.length > 1) await until(this.#clock, 0, () => true)
    }
    const isEnough = () => this.#frames.length - before >= answers || this.#closed !== undefined
    await until(this.#clock, withinMs, isEnough)
    return { frames: this.#frames.slice(before), closed: this.#closed }
  }

  hangUp(): void {
    this.#connection.destroy('hung up')
  }
}

/** One exchange over HTTP, sealed as given; an answer that never comes is none. */
export async function exchange(
  place: Place & { tag: 'http' },
  sealed: Uint8Array,
  withinMs: number,
): Promise<Heard> {
  const { method, target, headers, body } = readHttpRequest(sealed)
  const { 'content-length': _, ...others } = headers
  try {
    const answer = await call(place.url.replace(/\/$/, '') + target, {
      method: method as 'POST',
      headers: others,
      body: body.length > 0 ? Buffer.from(body) : null,
      signal: AbortSignal.timeout(withinMs),
    })
    const bytes = await read(answer.body)
    const told: Record<string, string> = {}
    for (const [name, value] of Object.entries(answer.headers)) told[name] = String(value)
    const frame = writeHttpResponse({ status: answer.statusCode, headers: told, body: bytes })
    return { frames: [frame], closed: undefined }
  } catch (error) {
    return { frames: [], closed: errorText(error) }
  }
}

const BYTES_MAX = 256 * 1024

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.length
    if (bytes > BYTES_MAX) throw new RangeError(`an answer of more than ${BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}
