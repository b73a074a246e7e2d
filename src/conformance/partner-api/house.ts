import { ApiServer, MemoryRequests } from '#api'
import { type Random, rupiah, Secret, toHex } from '#base'
import { MemoryJournal, MemoryStore, type StoredTxn } from '#journal'
import { type Destination, NO_OBSERVER, OwnNumbers, Switch } from '#switch'
import { until } from '../lease.ts'
import { destinationFor, LAB, LINK, type LinkParts, productFor, SETTINGS } from '../our-parts.ts'
import type { Subject } from '../subjects.ts'

export type HouseOptions = LinkParts & { readonly subjects: readonly Subject[] }

/** How a partner proves who it is, made for this test alone. */
export type ApiKey = { readonly id: string; readonly secret: Secret<string> }

const UP_WITHIN_MS = 10_000
const KEY_BYTES = 32

const LIMITS = {
  bodyBytesMax: 65_536,
  headerBytesMax: 16_384,
  connectionsMax: 256,
  connectionsPerPeerMax: 256,
  inFlightMax: 256,
  inFlightPerPartnerMax: 256,
  requestTimeoutMs: 10_000,
  headersTimeoutMs: 5_000,
  idleTimeoutMs: 60_000,
  partnerRate: { perSecond: 1_000, burst: 1_000 },
  addressRate: { perSecond: 1_000, burst: 1_000 },
}

/** A switch of ours with the partners' API before it, a journal in memory, and one counterpart. */
export class ApiHouse {
  readonly key: ApiKey
  readonly #options: HouseOptions
  readonly #journal: MemoryJournal
  readonly #switch: Switch
  readonly #destination: Destination
  readonly #api: ApiServer

  constructor(options: HouseOptions) {
    const { clock, random, log, subjects, patienceMs } = options
    this.#options = options
    this.key = makeKey(random)
    this.#journal = new MemoryJournal({ clock, store: new MemoryStore() })
    this.#destination = destinationFor(options, LAB, new OwnNumbers(clock, 0))
    const products = new Map(
      subjects.map(subject => {
        const product = productFor(subject, patienceMs, [LINK])
        return [product.code, { ...product, title: product.code }] as const
      }),
    )
    const facts = {
      id: LAB.partner,
      blocked: false,
      banks: new Set([LAB.bank]),
      switchers: new Set([LAB.switcher]),
      terminals: new Set([LAB.terminal]),
      products: new Set(products.keys()),
    }
    this.#switch = new Switch({
      settings: SETTINGS,
      clock,
      random,
      log,
      journal: this.#journal,
      partners: new Map([[LAB.partner, facts]]),
      products,
      destinations: new Map([[LINK, this.#destination]]),
      observer: NO_OBSERVER,
    })
    const api = {
      bank: LAB.bank,
      switcher: LAB.switcher,
      terminal: LAB.terminal,
      channel: '6021',
      keys: new Map([[this.key.id, this.key.secret]]),
      certificates: new Set<string>(),
    }
    const partner = { ...facts, name: 'the partner', mayDialFrom: () => true, api }
    this.#api = new ApiServer({
      name: 'partner-api',
      host: '127.0.0.1',
      port: 0,
      tls: undefined,
      limits: LIMITS,
      answerWaitMs: Math.round(patienceMs / 2),
      signatureWindowMs: 300_000,
      version: 'test',
      clock,
      random,
      log,
      journal: this.#journal,
      switch: this.#switch,
      partners: new Map([[LAB.partner, partner]]),
      products,
      requests: new MemoryRequests(),
    })
  }

  /** Where the API listens, on this machine only. Undefined when no line to the counterpart comes up. */
  async start(): Promise<string | undefined> {
    this.#destination.link.start()
    await this.#switch.deposit(LAB.partner, rupiah(1_000_000_000_000), 'test', 'opening', 'opening')
    const { address } = await this.#api.listen()
    const isUp = await until(this.#options.clock, UP_WITHIN_MS, () => this.#destination.up)
    return isUp ? address : undefined
  }

  /** The payment that came of an inquiry for this customer. */
  async paymentOf(customer: string): Promise<StoredTxn | undefined> {
    const [row] = await this.#journal.list({ kind: 'payment', customer, limit: 1 })
    return row && this.#journal.find(row.partner, row.id)
  }

  async end(): Promise<void> {
    const soonMs = this.#options.clock.nowMs() + 200
    await this.#api.drain(soonMs)
    await this.#destination.link.drain(soonMs)
    await this.#journal.close()
  }
}

function makeKey(random: Random): ApiKey {
  const text = (bytes: number): string => toHex(random.bytes(bytes))
  return { id: `test-${text(4)}`, secret: new Secret(text(KEY_BYTES)) }
}
