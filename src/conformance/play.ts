import type { Clock, Random } from '#base'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import type { Log } from '#telemetry'
import type { Case } from './cases.ts'
import { crossedIn } from './crossed.ts'
import { Ears } from './ears.ts'
import { judge } from './judge.ts'
import { LeasedClock, pause, until } from './lease.ts'
import { OurSide } from './our-side.ts'
import type { Place } from './place.ts'
import type { CaseReport } from './report.ts'
import { theirSide } from './their-side.ts'

export type PlayOptions = {
  readonly pack: Pack | HttpPack
  /** A real counterpart; the pack's simulator, fresh for each case, when there is none. */
  readonly place?: Place
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const ENDED = ['paid', 'declined', 'reversed', 'suspect']
const UP_WITHIN_MS = 10_000
/** Late and second answers are waited for, so that they can do their harm. */
const SETTLES_MS = 150

/**
 * One case from an inquiry to the end of its payment: a switch of ours, a link, and the counterpart.
 * Each has a world of its own, so that a cut line is felt by nobody else.
 */
export async function play(one: Case, options: PlayOptions): Promise<CaseReport> {
  const { pack, patienceMs, random, log } = options
  const clock = new LeasedClock(options.clock)
  const ours = { pack, subject: one.subject, patienceMs, clock, random, log }
  const head = { name: one.name, text: one.text, product: one.subject.product, number: one.number }
  const { side, close, book } = await worldFor(options, ours)
  try {
    await side.start()
    if (!(await until(clock, UP_WITHIN_MS, () => side.up))) {
      const remarks = [`no line comes up: ${side.lastError ?? 'no answer'}`]
      return { ...head, verdict: 'failed', end: 'no line', remarks, crossed: [] }
    }
    const { told, asked } = await inquire(side, one)
    if (told?.outcome?.meaning === 'approved') {
      await until(clock, UP_WITHIN_MS, () => side.up)
      await side.pay(told)
      const longestMs = patienceMs * 6 + UP_WITHIN_MS
      const over = async () => ENDED.includes((await side.payment())?.tag ?? '')
      await until(clock, longestMs, over)
    }
    await pause(clock, SETTLES_MS)
    const payment = await side.payment()
    const money = await side.money()
    const judged = judge(one, { payment, book: book?.(), ...money })
    const refused =
      payment === undefined && told?.outcome ? [`refused: ${told.outcome.reason}`] : []
    const again = asked > 1 ? [`the inquiry was asked ${asked} times`] : []
    const crossed = crossedIn(pack, await side.stories())
    return { ...head, ...judged, remarks: [...judged.remarks, ...refused, ...again], crossed }
  } finally {
    await side.end()
    await close()
    clock.end()
  }
}

const INQUIRIES_MAX = 3

/** An inquiry moves no money: where it is the payment that matters, a slow answer to it is asked for again. */
async function inquire(side: OurSide, { subject, number, pays }: Case) {
  const most = pays ? INQUIRIES_MAX : 1
  let told = await side.inquire(subject.withNumber(number))
  let asked = 1
  for (; isUnknown(told) && asked < most; asked++)
    told = await side.inquire(subject.withNumber(number))
  return { told, asked }
}

function isUnknown(told: Message | undefined): boolean {
  return told?.outcome?.reason === 'timeout' || told?.outcome?.reason === 'unavailable'
}

/** The counterpart, and our side of it. Ears come first: whoever calls back must know where. */
async function worldFor(
  { place, ...options }: PlayOptions,
  ours: Omit<ConstructorParameters<typeof OurSide>[0], 'place'>,
) {
  if (place) {
    return { side: new OurSide({ ...ours, place }), close: async () => {}, book: undefined }
  }
  const { pack, clock, log } = ours
  const callback = 'transport' in pack ? pack.callback : undefined
  const ears = callback && new Ears(clock, log)
  const heard = ears && { callbackUrl: `${await ears.listen()}${callback?.target ?? ''}` }
  const theirs = await theirSide({ ...options, ...heard, clock })
  const close = async () => {
    await theirs.close()
    await ears?.close(clock.nowMs())
  }
  const side = new OurSide({ ...ours, place: theirs.place, ...(ears && { ears }) })
  return { side, close, book: () => [...theirs.book.entries()] }
}
