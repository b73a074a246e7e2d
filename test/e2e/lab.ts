import { join } from 'node:path'
import { type AmountMinor, rupiah } from '#base'
import { loadPacks } from '#config'
import type { Message } from '#message'
import type { Pack } from '#pack'
import { type Payment, type RunningSimulator, runSimulator } from '#sim'
import type { Till } from '../simulation/till.ts'
import { Daemon, type DaemonOptions, ROOT } from './daemon.ts'

/** How long the biller has to answer; the late scenarios answer a little after it. */
export const ANSWER_MS = 1_500

/** The lab's policies, in a hurry. */
export const FAST = [
  'limits.askerPatience=2s',
  'links.pln.reconnectMin=50ms',
  'links.pln.reconnectMax=300ms',
  'links.pln.echoIdle=1s',
  'links.pln.echoTimeout=500ms',
  ...['pln-postpaid', 'pln-prepaid', 'pln-nontaglis'].flatMap(product => [
    `products.${product}.inquiryTimeout=${ANSWER_MS}ms`,
    `products.${product}.answerTimeout=${ANSWER_MS}ms`,
    `products.${product}.recovery.spacing=400ms`,
    `products.${product}.recovery.timeout=500ms`,
  ]),
]

/** The real daemon, and a biller in this process whose book can be looked into. */
export class Lab {
  readonly daemon: Daemon
  #biller: RunningSimulator

  private constructor(daemon: Daemon, biller: RunningSimulator) {
    this.daemon = daemon
    this.#biller = biller
  }

  static async start(options: Partial<DaemonOptions> = {}): Promise<Lab> {
    const biller = await startBiller(0)
    const billerPort = portOf(biller)
    const { set = FAST, ...others } = options
    const daemon = await Daemon.start({ billerPort, set, ...others })
    const lab = new Lab(daemon, biller)
    await lab.linkUp()
    return lab
  }

  get biller(): RunningSimulator['biller'] {
    return this.#biller.biller
  }

  async stopBiller(): Promise<void> {
    await this.#biller.close()
  }

  /** Again on the same port, with an empty book. */
  async startBiller(): Promise<void> {
    this.#biller = await startBiller(portOf(this.#biller))
    await this.linkUp()
  }

  async linkUp(): Promise<void> {
    await until('the link is up', async () => {
      const { links } = await this.daemon.status()
      return links.every(({ state }) => state === 'up')
    })
  }

  /** What the biller believes of a number's newest payment. */
  believes(number: string): Payment['state'] | 'nothing' {
    const entries = [...this.biller.book.entries()]
    return entries.findLast(({ account }) => account.endsWith(`/${number}`))?.state ?? 'nothing'
  }

  async end(): Promise<number | NodeJS.Signals | undefined> {
    const code = await this.daemon.end()
    await this.#biller.close()
    return code
  }
}

function startBiller(port: number): Promise<RunningSimulator> {
  return runSimulator({
    pack: loadPacks(join(ROOT, 'protocols')).packs.get('pln-2003-115') as Pack,
    host: '127.0.0.1',
    port,
    timing: { deadlineMs: ANSWER_MS, lateByMs: 150, slowByMs: 400 },
    say: () => {},
  })
}

function portOf({ address }: RunningSimulator): number {
  return Number(address.split(':')[1])
}

/** Looks again and again; throws when it takes longer than anything here may. */
export async function until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const endMs = performance.now() + 20_000
  while (!(await look())) {
    if (performance.now() > endMs) throw new Error(`never: ${what}`)
    await new Promise(resolve => {
      setTimeout(resolve, 25)
    })
  }
}

// ── what a till says ─────────────────────────────────────────────────────────────────────────

export type Product = 'pln-postpaid' | 'pln-prepaid' | 'pln-nontaglis'

/** A number of 9999… that the biller knows, ending as wanted. */
export function numberFor(product: Product, ending: string): string {
  const digits = { 'pln-postpaid': 12, 'pln-prepaid': 11, 'pln-nontaglis': 13 }[product]
  return `9999${ending.padStart(digits - 4, '0')}`
}

export function inquiryFor(till: Till, product: Product, number: string): Message {
  switch (product) {
    case 'pln-postpaid':
      return till.message('inquiry', { product, customer: { id: number } })
    case 'pln-prepaid':
      return till.message('inquiry', { product, customer: { meter: number, knownBy: 'meter' } })
    case 'pln-nontaglis':
      return till.message('inquiry', { product, registration: { number, code: '000' } })
  }
}

/** What the answer to an inquiry asks for, as its payment; prepaid buys for Rp 100.000. */
export function paymentFor(till: Till, quote: Message, amountMinor?: AmountMinor): Message {
  const { outcome: _, infoText: __, ...quoted } = quote
  const token = quote.product === 'pln-prepaid'
  const amount = amountMinor ?? (token ? rupiah(102_500) : quote.amountMinor)
  return till.message('payment', {
    ...quoted,
    currency: 'IDR',
    ...(amount !== undefined && { amountMinor: amount }),
    ...(quote.bills && { billsPaid: quote.bills.length }),
    ...(token && { token: { ...quote.token, option: 0 } }),
  })
}

export function aboutFor(
  till: Till,
  kind: 'reversal' | 'advice',
  payment: Message,
  repeat = false,
): Message {
  const { trace, sentAt, bank = '' } = payment
  const original = { kind: 'payment', trace, sentAt, bank } as const
  return {
    ...till.message(kind, payment),
    trace,
    repeat,
    ...(kind === 'reversal' && { original }),
  }
}

/** Asks for a quote; throws when there is none. */
export async function quoted(till: Till, product: Product, number: string): Promise<Message> {
  const answer = await till.request(inquiryFor(till, product, number), 10_000)
  if (answer?.outcome?.meaning !== 'approved')
    throw new Error(`no quote for ${product} ${number}: ${answer?.outcome?.reason ?? 'silence'}`)
  return answer
}

/** The reason that an answer gives, or that none came. */
export function reasonOf(answer: Message | undefined): string {
  return answer?.outcome?.reason ?? 'silence'
}
