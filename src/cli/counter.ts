import { type AmountMinor, isNadiError, minor, SystemClock, SystemRandom } from '#base'
import type { Config, Identity, ListenerConfig, PartnerConfig, ProductConfig } from '#config'
import type { Message, Outcome } from '#message'
import { TcpDialer } from '#net'
import type { Pack } from '#pack'
import { hostPort } from './parse.ts'
import { PartnerClient } from './partner.ts'
import {
  aboutPayment,
  adminFor,
  dueOf,
  inquiryRequest,
  paymentRequest,
  Stamps,
} from './requests.ts'
import { reachable } from './settings.ts'
import { UsageError } from './usage.ts'

export type CounterOptions = {
  readonly partner?: string
  readonly listener?: string
  readonly to?: string
  readonly timeoutMs?: number
}

/** How a payment ended, as far as this side knows. */
export type Ending = {
  readonly result: 'paid' | 'declined' | 'reversed' | 'unknown'
  readonly outcome: Outcome
  /** The answer that says so: it makes the receipt. Absent when none came. */
  readonly answer?: Message
}

const UNKNOWN: Ending = { result: 'unknown', outcome: { meaning: 'unknown', reason: 'timeout' } }
/** A reversal or advice, then its repeats. */
const ASKS_MAX = 3

/**
 * A counter (loket): the partner's side of one sale, over the same line as every partner. Dials
 * again when the line broke in between.
 */
export class Counter {
  readonly product: ProductConfig
  readonly address: string
  readonly identity: Identity
  readonly #pack: Pack
  readonly #timeoutMs: number | undefined
  readonly #clock = new SystemClock()
  readonly #stamps = new Stamps(this.#clock, new SystemRandom())
  #client: PartnerClient | undefined

  constructor(config: Config, productCode: string, options: CounterOptions) {
    this.product = chosen(config.products, productCode, 'product')
    const listener = listenerOf(config, options.listener)
    this.#pack = config.packs.get(listener.pack) as Pack
    this.address = options.to ?? `${reachable(listener.host)}:${listener.port}`
    this.#timeoutMs = options.timeoutMs
    this.identity = identityOf(partnerOf(config, options.partner))
  }

  /** Throws PARTNER_LINE, PARTNER_NO_ANSWER. */
  async inquire(customer: string): Promise<Message> {
    return (await this.#line()).request(
      inquiryRequest(this.identity, this.#stamps.next(), this.product.code, customer),
    )
  }

  /** The payment request, ready to be shown before it is sent. */
  payment(quoted: Message, choice: Sale): Message {
    const { feeInside, denominationsMinor } = this.product
    const { amountMinor: asked, billsPaid, option } = choice
    if (billsPaid !== undefined && !(quoted.bills && billsPaid <= quoted.bills.length))
      throw new UsageError(`there are ${quoted.bills?.length ?? 0} bills to choose from`)
    const unsold = option ? quoted.token?.unsold?.[option - 1]?.amountMinor : undefined
    if (option && unsold === undefined) throw new UsageError(`there is no unsold token ${option}`)
    const bought = unsold ?? asked
    if (denominationsMinor && bought === undefined)
      throw new UsageError('say how much with --amount, without the fee')
    const amountMinor =
      bought !== undefined && denominationsMinor && feeInside
        ? minor(bought + adminFor(quoted))
        : (bought ?? dueOf(quoted, billsPaid))
    return paymentRequest(quoted, this.#stamps.next(), {
      ...(amountMinor !== undefined && { amountMinor }),
      ...(billsPaid !== undefined && { billsPaid }),
      ...(denominationsMinor && { option: option ?? 0 }),
    })
  }

  async pay(payment: Message): Promise<Ending> {
    return this.#ended(await this.#ask(payment))
  }

  /** Finds out what became of an unanswered payment: undoes it, or has it confirmed. */
  async settle(payment: Message, kind: 'reversal' | 'advice'): Promise<Ending> {
    for (let asked = 0; asked < ASKS_MAX; asked++) {
      const sentAt = this.#stamps.next().sentAt
      const answer = await this.#ask(aboutPayment(kind, payment, sentAt, asked > 0))
      const outcome = answer?.outcome
      if (!answer || !outcome || outcome.meaning === 'unknown') continue
      if (outcome.meaning === 'nothing') return { result: 'declined', outcome, answer }
      // The same request gets the same answer: that of a payment that stands has its receipt.
      if (outcome.meaning === 'stands') {
        const again = await this.pay(payment)
        return again.result === 'paid' ? again : { result: 'paid', outcome }
      }
      if (outcome.meaning === 'approved')
        return { result: kind === 'reversal' ? 'reversed' : 'paid', outcome, answer }
    }
    return UNKNOWN
  }

  /** Signs off and hangs up. */
  async close(): Promise<void> {
    const client = this.#client
    if (!client?.open) return
    try {
      await client.signOff()
    } catch (error) {
      if (!isNadiError(error)) throw error
    }
    await client.close()
  }

  /** Undefined when no answer came. */
  async #ask(message: Message): Promise<Message | undefined> {
    const line = await this.#line()
    try {
      return await line.request(message)
    } catch (error) {
      if (!isNadiError(error, 'PARTNER_NO_ANSWER')) throw error
      return undefined
    }
  }

  #ended(answer: Message | undefined): Ending {
    const outcome = answer?.outcome
    if (!answer || !outcome || outcome.meaning === 'unknown') return UNKNOWN
    if (outcome.meaning === 'approved') return { result: 'paid', outcome, answer }
    const result = outcome.reason === 'already-reversed' ? 'reversed' : 'declined'
    return { result, outcome, answer }
  }

  async #line(): Promise<PartnerClient> {
    if (this.#client?.open) return this.#client
    const { host, port } = hostPort(this.address)
    const client = await PartnerClient.connect({
      pack: this.#pack,
      dialer: new TcpDialer({ host, port }),
      clock: this.#clock,
      identity: this.identity,
      ...(this.#timeoutMs !== undefined && { timeoutMs: this.#timeoutMs }),
    })
    const { outcome } = await client.signOn()
    if (outcome?.meaning !== 'approved') {
      await client.close()
      throw new UsageError(
        `the switch does not let partner ${this.identity.partner} sign on: ${outcome?.reason}`,
      )
    }
    this.#client = client
    return client
  }
}

export type Sale = {
  /** Without the fee where the product has denominations; else the amount on the wire. */
  readonly amountMinor?: AmountMinor
  readonly billsPaid?: number
  /** Prepaid: 1 or 2 buys an unsold token. */
  readonly option?: number
}

function listenerOf({ listeners }: Config, name: string | undefined): ListenerConfig {
  const byName = new Map(listeners.map(listener => [listener.name, listener]))
  return chosen(byName, name ?? listeners[0]?.name ?? '', 'listener')
}

function partnerOf({ partners }: Config, id: string | undefined): PartnerConfig {
  const first = [...partners.values()].find(({ blocked }) => !blocked)
  return chosen(partners, id ?? first?.id ?? '', 'partner')
}

function identityOf({ id, banks, switchers, terminals }: PartnerConfig): Identity {
  const first = (values: ReadonlySet<string>): string => [...values][0] ?? ''
  return {
    partner: id,
    bank: first(banks),
    switcher: first(switchers),
    terminal: first(terminals),
  }
}

function chosen<T>(all: ReadonlyMap<string, T>, name: string, what: string): T {
  const found = all.get(name)
  if (found) return found
  throw new UsageError(`there is no ${what} ${name}; there are ${[...all.keys()].join(', ')}`)
}
