import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { fromJson, NadiError, type Secret, toJson } from '#base'
import type { ProblemView } from '#admin'

const TIMEOUT_MS = 30_000
const BYTES_MAX = 64 * 1024 * 1024

/** An error of the daemon, told again in its own words. */
export class DaemonProblem extends Error {
  override readonly name = 'DaemonProblem'
  readonly code: string

  constructor({ code, detail }: ProblemView) {
    super(detail)
    this.code = code
  }
}

export type Query = Readonly<Record<string, string | number | undefined>>

/** The admin API of a daemon. Throws ADMIN_UNREACHABLE, DaemonProblem. */
export class AdminClient {
  readonly #base: URL
  readonly #token: Secret<string>

  constructor(base: URL, token: Secret<string>) {
    this.#base = base
    this.#token = token
  }

  get<T>(path: string, query: Query = {}, timeoutMs?: number): Promise<T> {
    return this.#ask<T>('GET', this.#url(path, query), undefined, timeoutMs)
  }

  post<T>(path: string, body: unknown, timeoutMs?: number): Promise<T> {
    return this.#ask<T>('POST', new URL(path, this.#base), toJson(body), timeoutMs)
  }

  /** What is no JSON: bytes that whoever asks wipes afterwards. */
  postBytes<T>(path: string, query: Query, body: Uint8Array): Promise<T> {
    return this.#ask<T>('POST', this.#url(path, query), body)
  }

  #url(path: string, query: Query): URL {
    const url = new URL(path, this.#base)
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value))
    return url
  }

  async #ask<T>(
    method: string,
    url: URL,
    body: string | Uint8Array | undefined,
    timeoutMs: number = TIMEOUT_MS,
  ): Promise<T> {
    const { status, text } = await this.#exchange(method, url, body, timeoutMs)
    let answer: unknown
    try {
      answer = fromJson(text)
    } catch (cause) {
      throw this.#unreachable('it answered something that is no JSON', cause)
    }
    if (status < 300) return answer as T
    if (typeof answer === 'object' && answer !== null && 'code' in answer)
      throw new DaemonProblem(answer as ProblemView)
    throw this.#unreachable(`it answered ${status}`)
  }

  #exchange(
    method: string,
    url: URL,
    body: string | Uint8Array | undefined,
    timeoutMs: number,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const fail = (why: string, cause?: unknown): void => reject(this.#unreachable(why, cause))
      const headers = {
        authorization: `Bearer ${this.#token.reveal()}`,
        ...(body !== undefined && { 'content-type': typeOf(body) }),
      }
      const open = url.protocol === 'https:' ? requestHttps : requestHttp
      const signal = AbortSignal.timeout(timeoutMs)
      const asked = open(url, { method, headers, signal, agent: false }, response => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk)
          bytes += chunk.length
          if (bytes > BYTES_MAX) asked.destroy(new Error('the answer is too long'))
        })
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
        })
        response.on('error', error => fail('the answer broke off', error))
      })
      asked.on('error', error => {
        const { code, name } = error as NodeJS.ErrnoException
        fail(
          name === 'AbortError' || name === 'TimeoutError' ? 'no answer in time' : (code ?? name),
          error,
        )
      })
      asked.end(body)
    })
  }

  #unreachable(why: string, cause?: unknown): NadiError {
    const hint = "is the daemon running? 'nadi start' starts it; --admin says where it is"
    return new NadiError('ADMIN_UNREACHABLE', {
      actual: `${why} from ${this.#base.host}`,
      hint,
      ...(cause !== undefined && { cause }),
    })
  }
}

function typeOf(body: string | Uint8Array): string {
  return typeof body === 'string' ? 'application/json' : 'application/octet-stream'
}
