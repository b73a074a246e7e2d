import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Clock, Random } from '#base'
import { type HttpResponse, readHttpResponse } from '#http'
import type { Manner, Timing } from './scenarios.ts'

/** How the answers of a dialect over HTTP leave; the rest is the biller's. */
export type Leaving = {
  readonly clock: Clock
  readonly random: Random
  readonly timing: Timing
}

const HTML = '<!doctype html><title>502</title><h1>Bad Gateway</h1><p>nginx</p>'
/** What it unpacks to: far more than anyone takes for an answer. */
const BOMB_BYTES = 256 * 1024 * 1024
let bomb: Buffer | undefined

/**
 * Lets a sealed answer leave in the manner that its act wants. What only a stream of frames can do
 * (two answers in one packet, an answer of its own to a reversal) leaves as it should, or late.
 */
export function leave(
  response: ServerResponse,
  frame: Uint8Array,
  manner: Manner,
  { clock, random, timing }: Leaving,
): void {
  const later = (afterMs: number, run: () => void) => {
    clock.at(clock.nowMs() + afterMs, () => {
      if (!response.destroyed) run()
    })
  }
  const answer = () => send(response, readHttpResponse(frame))
  switch (manner) {
    case 'answer':
    case 'twice':
    case 'merged':
    case 'signed-off':
    case 'other-trace':
    case 'other-amount':
      return answer()
    case 'silence':
    case 'deaf':
      return
    case 'late':
    case 'after-reversal':
      return later(timing.deadlineMs + timing.lateByMs, answer)
    case 'slow':
      return later(timing.slowByMs, answer)
    case 'garbled': {
      const { status, headers, body } = readHttpResponse(frame)
      return send(response, { status, headers, body: random.bytes(Math.max(body.length, 16)) })
    }
    case 'short-data': {
      const { status, headers, body } = readHttpResponse(frame)
      return send(response, { status, headers, body: body.subarray(0, (body.length * 2) / 3) })
    }
    case 'byte-by-byte':
      return drip(response, readHttpResponse(frame), timing.byteByMs, later)
    case 'wrong-length':
      return lie(response, readHttpResponse(frame))
    case 'cut':
      return void response.destroy()
    case 'html':
      return send(response, plain(502, 'text/html', HTML))
    case 'server-error':
      return send(response, plain(500, 'text/plain', ''))
    case 'empty':
      return send(response, plain(200, 'application/json', ''))
    case 'redirect':
      return send(response, {
        status: 302,
        headers: { location: 'http://127.0.0.1:9/elsewhere' },
        body: Buffer.alloc(0),
      })
    case 'gzip-bomb': {
      bomb ??= gzipSync(Buffer.alloc(BOMB_BYTES, 0x20))
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
      return send(response, { status: 200, headers, body: bomb })
    }
  }
}

function plain(status: number, type: string, text: string): HttpResponse {
  return { status, headers: { 'content-type': type }, body: Buffer.from(text) }
}

export function send(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) })
  // As text, each character a byte, it leaves in one write with its head.
  response.end(
    Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1'),
    'latin1',
  )
}

/** The head at once, then the body a byte at a time. */
function drip(
  response: ServerResponse,
  { status, headers, body }: HttpResponse,
  byMs: number,
  later: (afterMs: number, run: () => void) => void,
): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) })
  response.flushHeaders()
  const next = (at: number) => {
    if (at >= body.length) return void response.end()
    response.write(body.subarray(at, at + 1))
    later(byMs, () => next(at + 1))
  }
  next(0)
}

/** More is promised than comes, and then the connection is gone. */
function lie(response: ServerResponse, { status, headers, body }: HttpResponse): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length + 100) })
  response.write(body, () => response.destroy())
}
