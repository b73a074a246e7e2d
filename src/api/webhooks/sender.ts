import { Agent, request } from 'undici'
import type { Clock } from '#base'

export type Sent =
  | { readonly tag: 'answered'; readonly status: number }
  /** In a word: `timeout`, `ECONNREFUSED`. */
  | { readonly tag: 'failed'; readonly problem: string }

export interface Sender {
  post(url: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<Sent>
  close(): Promise<void>
}

const CONNECTIONS_MAX = 8
/** Nobody reads what a partner's server answers; more than this and the line is closed. */
const ANSWER_BYTES_MAX = 16_384

/** Posts over pooled connections. No redirect is followed: a signed event goes where it was meant to. */
export class HttpSender implements Sender {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #agent: Agent

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#agent = new Agent({ connections: CONNECTIONS_MAX, pipelining: 1 })
  }

  async post(
    url: string,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
  ): Promise<Sent> {
    const abort = new AbortController()
    const callOff = this.#clock.at(this.#clock.nowMs() + this.#timeoutMs, () => abort.abort())
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'user-agent': 'Nadi', ...headers },
        body,
        dispatcher: this.#agent,
        signal: abort.signal,
      })
      await answer.body.dump({ limit: ANSWER_BYTES_MAX })
      return { tag: 'answered', status: answer.statusCode }
    } catch (error) {
      return { tag: 'failed', problem: abort.signal.aborted ? 'timeout' : wordFor(error) }
    } finally {
      callOff()
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

/** A code is safe to keep and to show; a text may hold an address with a password in it. */
function wordFor(error: unknown): string {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? code : 'failed'
}
