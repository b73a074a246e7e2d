import { type Clock, localTime, type Random } from '#base'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import { merchantNumber, type Payment } from '#sim'
import type { Log } from '#telemetry'
import { type Case, casesFor } from './cases.ts'
import { LeasedClock, pause } from './lease.ts'
import { crossedOf, type Heard, overheard } from './overheard.ts'
import { judgePartner } from './partner-judge.ts'
import { type Place, shownPlace } from './place.ts'
import { type CaseReport, type Report, reportOf } from './report.ts'
import { type Spoken, subjectsOf } from './subjects.ts'
import { theirSide } from './their-side.ts'

export type PartnerTestOptions = {
  readonly pack: Pack | HttpPack
  readonly spoken: readonly Spoken[]
  readonly host: string
  readonly port: number
  /** How long the partner waits for an answer; late answers come after that. */
  readonly patienceMs: number
  /** Where the partner wants to be called back, in dialects that do. */
  readonly callbackUrl?: string
  readonly products?: readonly string[]
  readonly only?: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** What the partner is asked to do: inquire about this number and pay it, as for any customer. */
export type Task = Pick<Case, 'name' | 'text' | 'number'> & { readonly product: string }

export type PartnerTest = {
  readonly place: Place
  readonly tasks: readonly Task[]
  /** Whether every task was begun, and nothing came for a while. */
  quiet(forMs: number): boolean
  /** Stops listening, and judges what was seen. */
  end(): Promise<Report>
}

/**
 * Turned round: a partner who wants to connect to us dials in, pays the numbers that it was told, and
 * is judged by what it does when things go wrong.
 */
export async function testPartner(options: PartnerTestOptions): Promise<PartnerTest> {
  const { pack, spoken, host, port, patienceMs, products, only, random, log } = options
  const told = options.callbackUrl === undefined ? {} : { callbackUrl: options.callbackUrl }
  const clock = new LeasedClock(options.clock)
  const startedAt = localTime(clock.nowMs())
  const { subjects } = subjectsOf(pack, spoken)
  const cases = subjects
    .filter(({ product }) => products?.includes(product) ?? true)
    .flatMap(subject => casesFor(subject, pack))
    .filter(({ name }) => only?.includes(name) ?? true)
  const seen = new Conversations()
  const listening = overheard(pack, clock, heard => seen.note(heard))
  const theirs = await theirSide({
    pack: listening,
    host,
    port,
    patienceMs,
    ...told,
    clock,
    random,
    log,
  })
  const paidOf = (number: string): Payment[] =>
    [...theirs.book.entries()].filter(({ account }) => account.endsWith(`/${number}`))
  const reports = (): CaseReport[] =>
    cases.map(one => {
      const { name, text, number } = one
      const heard = seen.of(one.subject.product, number)
      const judged = judgePartner(one, heard, paidOf(number), pack)
      const crossed = heard.map(each => crossedOf(pack, each))
      return { name, text, product: one.subject.product, number, ...judged, crossed }
    })
  let ended: Promise<Report> | undefined
  const end = async (): Promise<Report> => {
    await pause(clock, 0)
    await theirs.close()
    clock.end()
    const remarks = seen.unreadable.map(text => `a request could not be read: ${text}`)
    const against = `a partner at ${shownPlace(theirs.place)}`
    const report = reportOf({ pack: pack.name, against, startedAt, remarks }, reports())
    return remarks.length === 0 ? report : { ...report, ok: false }
  }
  return {
    place: theirs.place,
    tasks: cases.map(({ name, text, number, subject }) => ({
      name,
      text,
      number,
      product: subject.product,
    })),
    quiet: forMs =>
      seen.lastAtMs + forMs < clock.nowMs() &&
      cases.every(({ subject, number }) => seen.of(subject.product, number).length > 0),
    end: () => (ended ??= end()),
  }
}

const HEARD_MAX = 20_000
const UNREADABLE_MAX = 20

/** What was said about each number. A message that names none is known by its references. */
class Conversations {
  readonly #byNumber = new Map<string, Heard[]>()
  readonly #numberOf = new Map<string, string>()
  readonly unreadable: string[] = []
  lastAtMs = 0
  #count = 0

  note(heard: Heard): void {
    this.lastAtMs = heard.atMs
    const { message } = heard
    if (!message) {
      if (this.unreadable.length < UNREADABLE_MAX) this.unreadable.push(heard.error ?? '')
      return
    }
    if (message.product === undefined || ++this.#count > HEARD_MAX) return
    const names = namesOf(message)
    const key =
      numberIn(message) ??
      names.map(name => this.#numberOf.get(name)).find(found => found !== undefined)
    if (key === undefined) return
    for (const name of names) this.#numberOf.set(name, key)
    const list = this.#byNumber.get(key) ?? []
    list.push(heard)
    this.#byNumber.set(key, list)
  }

  of(product: string, number: string): readonly Heard[] {
    const all = this.#byNumber.get(number) ?? []
    // A payment of some dialects tells no product: that of its inquiry is meant.
    return all.some(({ message }) => message?.product === product) ? all : []
  }
}

function numberIn({ customer, transfer, registration, qr }: Message): string | undefined {
  if (registration?.number) return registration.number
  const { id, meter, knownBy } = customer ?? {}
  const typed = knownBy === 'id' ? (id ?? meter) : (meter ?? id)
  return typed ?? transfer?.account ?? (qr && merchantNumber(qr))
}

function namesOf({ reference, trace, terminal = '' }: Message): string[] {
  const names: string[] = []
  if (reference?.own !== undefined) names.push(`own ${reference.own}`)
  if (reference?.switching !== undefined) names.push(`switching ${reference.switching}`)
  if (reference?.biller !== undefined) names.push(`biller ${reference.biller}`)
  if (trace !== '') names.push(`trace ${terminal} ${trace}`)
  return names
}
