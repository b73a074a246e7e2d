import { localTime } from '#base'
import { API_FRAMES } from '#api'
import type { Payment } from '#sim'
import { type Case, casesFor } from '../cases.ts'
import { LeasedClock, pause, until } from '../lease.ts'
import type { PartnerTest, PartnerTestOptions } from '../partner.ts'
import { type CaseReport, type Crossed, type Report, reportOf } from '../report.ts'
import { type Subject, subjectsOf } from '../subjects.ts'
import { theirSide } from '../their-side.ts'
import { ApiFront, type Exchange, type Loss } from './front.ts'
import { ApiHouse, type ApiKey } from './house.ts'
import { judgeApiPartner } from './judge.ts'

export type ApiPartnerTest = PartnerTest & { readonly key: ApiKey }

/** One task: a scenario of the biller, or an answer of ours that is lost on its way. */
type ApiCase = Pick<Case, 'name' | 'text' | 'number' | 'paid'> & {
  readonly product: string
  readonly loss?: Loss
}

/** The numbers of the biller's scenarios begin at 900; these act out nothing there. */
const LOSSES: readonly (readonly [suffix: number, name: string, text: string, loss: Loss])[] = [
  [801, 'answer-cut', 'paid; our answer is lost with its connection', 'cut'],
  [802, 'answer-silent', 'paid; our answer never comes', 'silent'],
  [803, 'answer-html', 'paid; a page of HTML with 502 comes in place of our answer', 'html'],
]
const EXCHANGES_MAX = 20_000
const STRANGERS_MAX = 20
/** What is still being found out when the partner is done has this long to end, in its patience. */
const ENDS_WITHIN = 8
const OPEN = ['sending', 'unknown']

/**
 * Turned round over our own HTTP API: a partner's program asks and pays the numbers that it was told,
 * while the biller behind us is the pack's simulator with all its scenarios, and answers get lost.
 */
export async function testApiPartner(options: PartnerTestOptions): Promise<ApiPartnerTest> {
  const { pack, spoken, host, port, patienceMs, products, only, random, log } = options
  const clock = new LeasedClock(options.clock)
  const startedAt = localTime(clock.nowMs())
  const subjects = subjectsOf(pack, spoken).subjects.filter(
    subject => (products?.includes(subject.product) ?? true) && isAskedByNumber(subject),
  )
  const cases = subjects
    .flatMap(subject => apiCases(subject, options))
    .filter(({ name }) => only?.includes(name) ?? true)
  const theirs = await theirSide({ pack, patienceMs, clock, random, log })
  const house = new ApiHouse({
    pack,
    place: theirs.place,
    patienceMs,
    clock,
    random,
    log,
    subjects,
  })
  const api = await house.start()
  const heard = new Conversations(cases)
  const front = new ApiFront({
    host,
    port,
    api: api ?? '',
    clock,
    loses: (method, path, asked) => heard.loses(method, path, asked),
    note: exchange => heard.note(exchange),
  })
  const { address } = await front.listen()
  const judged = async (one: ApiCase): Promise<CaseReport> => {
    const { name, text, product, number, paid } = one
    const book = [...theirs.book.entries()].filter(isOf(product, number))
    const payment = await house.paymentOf(number)
    const exchanges = heard.of(number)
    const verdict = judgeApiPartner({ heard: exchanges, payment, book, paid })
    return { name, text, product, number, ...verdict, crossed: exchanges.flatMap(crossed) }
  }
  let ended: Promise<Report> | undefined
  const end = async (): Promise<Report> => {
    const isOver = async ({ number }: ApiCase): Promise<boolean> =>
      !OPEN.includes((await house.paymentOf(number))?.tag ?? '')
    for (const one of cases) await until(clock, patienceMs * ENDS_WITHIN, () => isOver(one))
    await pause(clock, 0)
    await front.close()
    const reports: CaseReport[] = []
    for (const one of cases) reports.push(await judged(one))
    await house.end()
    await theirs.close()
    clock.end()
    const remarks = heard.strangers.map(text => `a request that belongs to no number: ${text}`)
    const against = `a partner at http://${address}`
    return reportOf(
      { pack: `the partners' API before ${pack.name}`, against, startedAt, remarks },
      reports,
    )
  }
  return {
    place: { tag: 'http', url: `http://${address}` },
    key: house.key,
    tasks: cases.map(({ name, text, number, product }) => ({ name, text, number, product })),
    quiet: forMs =>
      heard.lastAtMs + forMs < clock.nowMs() &&
      cases.every(({ number }) => heard.of(number).length > 0),
    end: () => (ended ??= end()),
  }
}

/** The API asks by a customer's number, a meter's or a registration's. */
function isAskedByNumber({ asks }: Subject): boolean {
  return asks.transfer === undefined && asks.qr === undefined
}

function apiCases(subject: Subject, { pack }: PartnerTestOptions): ApiCase[] {
  const { product } = subject
  const scenarios = casesFor(subject, pack).map(({ name, text, number, paid }) => ({
    name,
    text,
    number,
    paid,
    product,
  }))
  const losses = LOSSES.map(([suffix, name, text, loss]) => ({
    name,
    text,
    number: subject.numberFor(suffix),
    paid: true,
    product,
    loss,
  }))
  return [...scenarios, ...losses]
}

function isOf(product: string, number: string): (payment: Payment) => boolean {
  return ({ account }) => account === `${product}/${number}`
}

/** What was said about each number: inquiries name it, and what follows names what it was told. */
class Conversations {
  readonly strangers: string[] = []
  lastAtMs = 0
  readonly #losses: ReadonlyMap<string, Loss>
  readonly #byNumber = new Map<string, Exchange[]>()
  /** By the id of an inquiry or payment, and by an inquiry's reference. */
  readonly #numberOf = new Map<string, string>()
  readonly #lost = new Set<string>()
  #count = 0

  constructor(cases: readonly ApiCase[]) {
    this.#losses = new Map(cases.flatMap(({ number, loss }) => (loss ? [[number, loss]] : [])))
  }

  of(number: string): readonly Exchange[] {
    return this.#byNumber.get(number) ?? []
  }

  /** The answer to the first payment of such a number. */
  loses(method: string, path: string, asked: Exchange['asked']): Loss | undefined {
    if (method !== 'POST' || path !== '/v1/payments') return undefined
    const number = this.#numberOf.get(textOf(asked['inquiry']) ?? '')
    const loss = number === undefined ? undefined : this.#losses.get(number)
    if (number === undefined || this.#lost.has(number)) return undefined
    this.#lost.add(number)
    return loss
  }

  note(exchange: Exchange): void {
    this.lastAtMs = exchange.answeredAtMs
    if (++this.#count > EXCHANGES_MAX) return
    const { path, asked, told } = exchange
    const named = numberIn(asked) ?? this.#numberOf.get(textOf(asked['inquiry']) ?? idIn(path))
    if (named === undefined) {
      // Balances and lists of products are about no number.
      const code = textOf(told['code'])
      if (code !== undefined && this.strangers.length < STRANGERS_MAX)
        this.strangers.push(`${path}: ${code}`)
      return
    }
    for (const name of [told['id'], told['reference'], told['payment']])
      if (typeof name === 'string') this.#numberOf.set(name, named)
    const list = this.#byNumber.get(named) ?? []
    list.push(exchange)
    this.#byNumber.set(named, list)
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberIn({ customer }: Exchange['asked']): string | undefined {
  if (typeof customer !== 'object' || customer === null) return undefined
  const { id, meter, registration } = customer as Record<string, unknown>
  return [id, meter, registration].find(one => typeof one === 'string')
}

/** `/v1/payments/06D3K8M2P4QR`, and what stands behind it. */
function idIn(path: string): string {
  return path.split('/')[3] ?? ''
}

function crossed({ atMs, answeredAtMs, method, path, lost, request, answer }: Exchange): Crossed[] {
  const lines = (frame: Uint8Array) =>
    API_FRAMES.describe(frame).map(({ path: name, value }) => `${name} ${value}`)
  const what = `${method} ${path}`
  const how = lost ? ` (lost on its way: ${lost})` : ''
  return [
    { atMs, direction: 'got', what, lines: lines(request) },
    {
      atMs: answeredAtMs,
      direction: 'sent',
      what: `${what}, answered${how}`,
      lines: lines(answer),
    },
  ]
}
