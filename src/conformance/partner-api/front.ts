import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '#base'
import { writeHttpRequest, writeHttpResponse } from '#http'

/** What becomes of an answer on its way to the partner. */
export type Loss = 'cut' | 'silent' | 'html'

/** One request of the partner, and what it was answered. */
export type Exchange = {
  readonly atMs: number
  readonly answeredAtMs: number
  readonly method: string
  readonly path: string
  readonly key: string | undefined
  /** Empty where it is no JSON. */
  readonly asked: Readonly<Record<string, unknown>>
  readonly status: number
  readonly told: Readonly<Record<string, unknown>>
  /** The work was done, and the partner did not hear of it. */
  readonly lost: Loss | undefined
  /** As frames, for the report. */
  readonly request: Uint8Array
  readonly answer: Uint8Array
}

export type FrontOptions = {
  readonly host: string
  readonly port: number
  /** `127.0.0.1:41234`: the API itself. */
  readonly api: string
  readonly clock: Clock
  readonly loses: (method: string, path: string, asked: Exchange['asked']) => Loss | undefined
  readonly note: (exchange: Exchange) => void
}

const BODY_BYTES_MAX = 262_144
/** An answer that is never given is held for so long, and then the line is cut. */
const HELD_MS = 60_000
const PAGE = '<html><body>502 Bad Gateway</body></html>'

/**
 * Stands before the partners' API and hears what is said, byte for byte as it came. It can lose an
 * answer on its way, as networks do, after the work was done.
 */
export class ApiFront {
  readonly #options: FrontOptions
  readonly #server: Server

  constructor(options: FrontOptions) {
    this.#options = options
    this.#server = createServer((asked, answer) => {
      this.#serve(asked, answer).catch(() => answer.destroy())
    })
  }

  async listen(): Promise<{ address: string }> {
    const { host, port } = this.#options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port }, resolve)
    })
    return { address: `${host}:${(this.#server.address() as AddressInfo).port}` }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      this.#server.close(() => resolve())
    })
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { clock, loses, note } = this.#options
    const atMs = clock.nowMs()
    const body = await bytesOf(asked)
    const { method = 'GET', url = '/' } = asked
    const path = url.split('?', 1)[0] ?? '/'
    const object = objectIn(body)
    const got = await this.#passOn(asked, body)
    const lost = loses(method, path, object)
    note({
      atMs,
      answeredAtMs: clock.nowMs(),
      method,
      path,
      key: textOf(asked.headers['idempotency-key']),
      asked: object,
      status: got.status,
      told: objectIn(got.body),
      lost,
      request: requestFrame(asked, body),
      answer: answerFrame(got),
    })
    this.#leave(answer, got, lost)
  }

  #leave(answer: ServerResponse, { status, headers, body }: Got, lost: Loss | undefined): void {
    const { clock } = this.#options
    if (lost === 'cut') return void answer.destroy()
    if (lost === 'silent') {
      const callOff = clock.at(clock.nowMs() + HELD_MS, () => answer.destroy())
      return void answer.once('close', callOff)
    }
    if (lost === 'html')
      return void answer.writeHead(502, { 'content-type': 'text/html' }).end(PAGE)
    answer.writeHead(status, headers).end(body)
  }

  #passOn(asked: IncomingMessage, body: Buffer): Promise<Got> {
    const [host, port] = this.#options.api.split(':')
    const { method, url: path, headers } = asked
    return new Promise((resolve, reject) => {
      const onward = request({ host, port, method, path, headers, agent: false }, answer => {
        bytesOf(answer).then(
          bytes =>
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: bytes }),
          reject,
        )
      })
      onward.on('error', reject)
      onward.end(body)
    })
  }
}

type Got = {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

async function bytesOf(from: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of from) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) throw new RangeError(`a body of more than ${BODY_BYTES_MAX} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function objectIn(body: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}

/** What tells how it was meant; what proves who sent it is in no report. */
const SHOWN = ['content-type', 'idempotency-key', 'prefer', 'location', 'retry-after'] as const

function shown(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(
    SHOWN.flatMap(name => {
      const text = textOf(headers[name])
      return text === undefined ? [] : [[name, text.replace(/[^\x20-\x7e]/g, '?')] as const]
    }),
  )
}

function requestFrame({ method = 'GET', url = '/', headers }: IncomingMessage, body: Buffer) {
  return writeHttpRequest({ method, target: url, headers: shown(headers), body })
}

function answerFrame({ status, headers, body }: Got): Uint8Array {
  return writeHttpResponse({ status, headers: shown(headers), body })
}
