import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { errorText, isNadiError, NadiError, toJson } from '#base'
import type { BillerStatus } from './biller.ts'
import type { Book } from './book.ts'
import { type Chaos, NO_CHAOS, parseChaos } from './chaos.ts'
import { SCENARIOS } from './scenarios.ts'

/** What the door is to: a biller of either kind. */
export type Controlled = {
  readonly book: Book
  chaos: Chaos
  status(): BillerStatus
}

/**
 * The simulator's own door, on loopback: what it believes, and how it shall behave.
 *
 *     GET  /healthz         ok
 *     GET  /book            one line of JSON a payment; ?summary: counts only
 *     GET  /scenario        what is set, and the table of numbers
 *     POST /scenario        sets trouble for everyone; {} ends it
 *     POST /recon           writes the reconciliation files of today so far
 */
export class Control {
  readonly #biller: Controlled
  readonly #server: Server

  readonly #writeRecon: (() => unknown) | undefined

  /** `writeRecon` where reconciliation files are wanted. */
  constructor(biller: Controlled, writeRecon?: () => unknown) {
    this.#biller = biller
    this.#writeRecon = writeRecon
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => refuse(response, error))
    })
  }

  async listen(port: number): Promise<{ address: string }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', error => {
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        reject(taken ? new NadiError('PORT_TAKEN', { actual: `127.0.0.1:${port}` }) : error)
      })
      this.#server.listen(port, '127.0.0.1', resolve)
    })
    const { address, port: bound } = this.#server.address() as AddressInfo
    return { address: `${address}:${bound}` }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => {
      this.#server.close(resolve)
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sim')
    switch (`${request.method} ${pathname}`) {
      case 'GET /healthz':
        return answer(response, 200, { ok: true, ...this.#biller.status() })
      case 'GET /book':
        if (searchParams.has('summary')) return answer(response, 200, this.#biller.book.summary())
        return this.#book(response)
      case 'GET /scenario':
        return answer(response, 200, { set: this.#biller.chaos, numbers: table() })
      case 'POST /scenario': {
        const text = await body(request)
        const given = parse(text)
        this.#biller.chaos = Object.keys(given).length === 0 ? NO_CHAOS : parseChaos(given)
        return answer(response, 200, { set: this.#biller.chaos })
      }
      case 'POST /recon': {
        const expected = 'a simulator that was begun with --recon-folder'
        if (!this.#writeRecon) throw new NadiError('ADMIN_BAD_REQUEST', { expected })
        return answer(response, 200, { files: this.#writeRecon() })
      }
      default:
        return answer(response, 404, { error: 'there is no such page' })
    }
  }

  /** Written in pieces: a book may hold hundreds of thousands of payments. */
  async #book(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/jsonl' })
    let piece = ''
    for (const payment of this.#biller.book.entries()) {
      piece += `${toJson(payment)}\n`
      if (piece.length < PIECE_CHARS) continue
      if (!response.write(piece)) await drained(response)
      if (response.destroyed) return
      piece = ''
    }
    response.end(piece)
  }
}

const PIECE_CHARS = 64 * 1024
const BODY_BYTES_MAX = 4096

function table(): { suffix: number; name: string; text: string }[] {
  return SCENARIOS.map(({ suffix, name, text }) => ({ suffix, name, text }))
}

async function body(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > BODY_BYTES_MAX) {
      throw new NadiError('ADMIN_BAD_REQUEST', { expected: `at most ${BODY_BYTES_MAX} bytes` })
    }
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function parse(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text === '' ? '{}' : text)
  } catch {
    throw new NadiError('ADMIN_BAD_REQUEST', { expected: 'JSON' })
  }
  if (typeof value !== 'object' || value === null) {
    throw new NadiError('ADMIN_BAD_REQUEST', { expected: 'a JSON object' })
  }
  return value
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${toJson(value)}\n`)
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy()
  else answer(response, isNadiError(error) ? 400 : 500, { error: errorText(error) })
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      response.off('drain', go).off('close', go)
      resolve()
    }
    response.on('drain', go).on('close', go)
  })
}
