import { request as httpRequest } from 'node:http'
import { type RequestOptions, request as httpsRequest } from 'node:https'
import { connect, type Socket } from 'node:net'
import { authorizationOf } from '#api'
import { type Secret, SystemRandom, toHex } from '#base'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** The body where it is JSON. */
  readonly json: Readonly<Record<string, Json>>
}

export type Asked = {
  readonly method?: string
  readonly body?: unknown
  /** As it is, in place of `body`. */
  readonly raw?: Uint8Array | string
  readonly headers?: Readonly<Record<string, string>>
  /** Idempotency-Key. */
  readonly key?: string
  /** What is signed in place of the truth. */
  readonly lie?: { time?: string; target?: string; method?: string; nonce?: string; body?: string }
  readonly unsigned?: boolean
}

export type Key = { readonly id: string; readonly secret: Secret<string> }

const random = new SystemRandom()

export function nonce(): string {
  return toHex(random.bytes(12))
}

/** A value of an answer that must be text. */
export function word(value: Json | undefined): string {
  if (typeof value !== 'string') throw new Error(`no text: ${JSON.stringify(value)}`)
  return value
}

/** Of a body that may hold anything. */
export function parseJson(body: Buffer): Json {
  return JSON.parse(body.toString('utf8')) as Json
}

/** A partner's program: signs as docs/partner-api.md says. */
export class ApiClient {
  readonly #address: string
  readonly #key: Key
  readonly #onReply: (method: string, target: string, reply: Reply) => void

  constructor(
    address: string,
    key: Key,
    onReply: (method: string, target: string, reply: Reply) => void = () => {},
  ) {
    this.#address = address
    this.#key = key
    this.#onReply = onReply
  }

  headersFor(target: string, asked: Asked): Record<string, string> {
    const { method = asked.body === undefined && asked.raw === undefined ? 'GET' : 'POST' } = asked
    const bytes = bytesOf(asked)
    const signed = {
      method,
      target,
      time: String(Math.floor(Date.now() / 1000)),
      nonce: nonce(),
      idempotencyKey: asked.key ?? '',
      ...asked.lie,
      body: asked.lie?.body === undefined ? bytes : Buffer.from(asked.lie.body),
    }
    const { id, secret } = this.#key
    return {
      ...(bytes.length > 0 && { 'content-type': 'application/json' }),
      ...(asked.key !== undefined && { 'idempotency-key': asked.key }),
      ...(!asked.unsigned && { authorization: authorizationOf(id, secret, signed) }),
      ...asked.headers,
    }
  }

  async ask(target: string, asked: Asked = {}): Promise<Reply> {
    const { method = asked.body === undefined && asked.raw === undefined ? 'GET' : 'POST' } = asked
    const headers = this.headersFor(target, asked)
    const reply = await exchange(this.#address, method, target, headers, bytesOf(asked))
    this.#onReply(method, target, reply)
    return reply
  }

  post(target: string, body: unknown, more: Asked = {}): Promise<Reply> {
    return this.ask(target, { ...more, method: 'POST', body })
  }
}

function bytesOf({ body, raw }: Asked): Buffer {
  if (raw !== undefined) return Buffer.from(raw as string)
  return body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body))
}

/** Over a socket of its own, with whatever target and headers: fetch would tidy them. */
export function exchange(
  address: string,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: Buffer,
  tls?: RequestOptions,
): Promise<Reply> {
  const [host, port] = address.split(':')
  return new Promise((resolve, reject) => {
    const open = tls ? httpsRequest : httpRequest
    const options = { ...tls, host, port, path, method, headers, agent: false }
    const asked = open(options, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const whole = Buffer.concat(chunks)
        const isJson = String(response.headers['content-type']).includes('json')
        const json = (isJson ? parseJson(whole) : {}) as Reply['json']
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, json })
      })
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

/** Bare bytes on a socket; all that came back until the other side hung up. */
export function raw(
  address: string,
  bytes: Buffer | string,
  thenEnd = false,
  then: (socket: Socket) => void = () => {},
): Promise<string> {
  const [host = '', port] = address.split(':')
  return new Promise(resolve => {
    let text = ''
    const socket = connect({ host, port: Number(port) }, () => {
      socket.write(bytes)
      if (thenEnd) socket.end()
      then(socket)
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}
