import { authorizationOf } from '#api'
import {
  type Clock,
  NadiError,
  type Random,
  type Secret,
  SystemClock,
  SystemRandom,
  toHex,
} from '#base'
import type { ApiListenerConfig, Config, PartnerConfig, ProductConfig } from '#config'
import { reachable } from './settings.ts'
import { UsageError } from './usage.ts'

/** A counter (loket) over the partners' HTTP API, for what no frames are described for. */

/** What it looks at of an answer's body; the whole of it is in `body`. */
export type ApiTold = {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export type ApiEnding = {
  readonly result: 'paid' | 'declined' | 'reversed' | 'unknown'
  readonly payment: ApiTold
  /** As lines of a thermal printer; none where it is not paid. */
  readonly receipt: readonly string[]
}

export type ApiCounterOptions = {
  readonly partner?: string
  /** host:port or an address with its scheme. */
  readonly to?: string
  /** How long it is asked what became of a payment. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 40_000
const LOOK_MS = 500
const FINAL = new Set(['paid', 'declined', 'reversed'])

export class ApiCounter {
  readonly product: ProductConfig
  readonly partner: string
  readonly address: string
  readonly #key: { readonly id: string; readonly secret: Secret<string> }
  readonly #timeoutMs: number
  readonly #clock: Clock = new SystemClock()
  readonly #random: Random = new SystemRandom()

  constructor(config: Config, product: ProductConfig, options: ApiCounterOptions) {
    const partner = partnerIn(config, options.partner)
    this.product = product
    this.partner = partner.id
    this.#key = keyOf(partner)
    this.address = addressOf(config.apis[0], options.to)
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
  }

  inquire(customer: string): Promise<ApiTold> {
    const body = { product: this.product.code, customer: { id: customer } }
    return this.#ask('POST', '/v1/inquiries', body)
  }

  /** `amount` without the fee. Asks until it is known, or time is up. */
  async pay(inquiry: ApiTold, amount: unknown, bills: number | undefined): Promise<ApiEnding> {
    const body = { inquiry: inquiry.body['id'], amount, ...(bills !== undefined && { bills }) }
    const untilMs = this.#clock.nowMs() + this.#timeoutMs
    let payment = await this.#ask('POST', '/v1/payments', body, this.#nonce())
    const { id } = payment.body
    while (payment.status === 202 || isOpen(payment)) {
      if (this.#clock.nowMs() >= untilMs) return { result: 'unknown', payment, receipt: [] }
      await new Promise<void>(go => {
        this.#clock.at(this.#clock.nowMs() + LOOK_MS, go)
      })
      payment = await this.#ask('GET', `/v1/payments/${String(id)}`)
    }
    const { state } = payment.body
    const result = state === 'paid' || state === 'reversed' ? state : 'declined'
    return { result, payment, receipt: result === 'paid' ? await this.#receipt(payment) : [] }
  }

  async #receipt({ body: { id } }: ApiTold): Promise<string[]> {
    const target = `/v1/payments/${String(id)}/receipt?format=text&width=48`
    const answer = await this.#send('GET', target)
    return answer.ok ? (await answer.text()).trimEnd().split('\n') : []
  }

  async #ask(method: string, target: string, body?: unknown, key = ''): Promise<ApiTold> {
    const answer = await this.#send(method, target, body, key)
    const text = await answer.text()
    const told: unknown = text === '' ? {} : JSON.parse(text)
    return { status: answer.status, body: told as ApiTold['body'] }
  }

  /** Throws PARTNER_LINE. */
  async #send(method: string, target: string, body?: unknown, key = ''): Promise<Response> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const time = String(Math.floor(this.#clock.nowMs() / 1000))
    const nonce = this.#nonce()
    const signed = { method, target, time, nonce, idempotencyKey: key, body: Buffer.from(text) }
    const { id, secret } = this.#key
    try {
      return await fetch(`${this.address}${target}`, {
        method,
        headers: {
          authorization: authorizationOf(id, secret, signed),
          ...(text !== '' && { 'content-type': 'application/json' }),
          ...(key !== '' && { 'idempotency-key': key }),
        },
        ...(text !== '' && { body: text }),
      })
    } catch (cause) {
      throw new NadiError('PARTNER_LINE', { path: this.address, cause })
    }
  }

  #nonce(): string {
    return toHex(this.#random.bytes(12))
  }
}

function isOpen({ status, body }: ApiTold): boolean {
  return status < 300 && !FINAL.has(String(body['state']))
}

function partnerIn({ partners }: Config, id: string | undefined): PartnerConfig {
  const found = [...partners.values()].find(one => (id === undefined ? one.api : one.id === id))
  if (found) return found
  throw new UsageError(
    id === undefined ? 'no partner has a way in over HTTP' : `there is no partner ${id}`,
  )
}

function keyOf({ id, api }: PartnerConfig) {
  for (const { id: key, secret } of api?.keys ?? [])
    if (secret.value) return { id: key, secret: secret.value }
  throw new UsageError(
    `partner ${id} has no key for the HTTP API; those of the lab are made when the daemon first starts`,
  )
}

function addressOf(api: ApiListenerConfig | undefined, to: string | undefined): string {
  if (to !== undefined) return to.includes('://') ? to : `http://${to}`
  if (!api) throw new UsageError('there is no listener of kind http')
  return `${api.tls ? 'https' : 'http'}://${reachable(api.host)}:${api.port}`
}
