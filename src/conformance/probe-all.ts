import { localTime, type Clock } from '#base'
import { readHttpRequest } from '#http'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'
import { OwnNumbers } from '#switch'
import { LeasedClock } from './lease.ts'
import { Mouth, signOnOf } from './mouth.ts'
import { LAB } from './our-parts.ts'
import type { Place } from './place.ts'
import type { PlayOptions } from './play.ts'
import { PROBES, type ProbeTools } from './probes.ts'
import type { CaseReport } from './report.ts'
import type { Subject } from './subjects.ts'
import { theirSide, type TheirSide } from './their-side.ts'

/** What we do to the counterpart by hand, for one product, on one counterpart, one after the other. */
export async function probeAll(
  options: PlayOptions,
  subject: Subject,
  /** Of a real counterpart; each is paid for once at most. The simulator knows as many as wanted. */
  customers: readonly string[],
  only: readonly string[] | undefined,
): Promise<CaseReport[]> {
  const clock = new LeasedClock(options.clock)
  const theirs = options.place ? undefined : await theirSide({ ...options, clock })
  try {
    const place = options.place ?? (theirs as TheirSide).place
    const tools = toolsFor(
      options.pack,
      place,
      options.patienceMs,
      subject,
      clock,
      customers,
      theirs,
    )
    if (!tools) return []
    const reports: CaseReport[] = []
    for (const { name, text, over, run } of PROBES) {
      if (over !== 'both' && (over === 'http') !== tools.http) continue
      if (only && !only.includes(name)) continue
      const head = { name, text, product: subject.product, number: tools.number }
      reports.push({ ...head, ...(await run(tools)) })
    }
    return reports
  } finally {
    await theirs?.close()
    clock.end()
  }
}

/** Suffixes that act out nothing. */
const PLAIN_FROM = 101

function toolsFor(
  pack: Pack | HttpPack,
  place: Place,
  patienceMs: number,
  subject: Subject,
  clock: Clock,
  customers: readonly string[],
  theirs: TheirSide | undefined,
): ProbeTools | undefined {
  const number = theirs ? subject.numberFor(PLAIN_FROM) : customers[0]
  if (number === undefined) return undefined
  const numbers = new OwnNumbers(clock, 0)
  const { bank, partner, switcher, terminal } = { ...LAB, ...subject.asks }
  const identity = { bank, partner, switcher, terminal }
  const http = 'transport' in pack
  let next = 0
  let traces = Math.floor((clock.nowMs() / 100) % 900_000)
  return {
    mouth: new Mouth({ pack, place, patienceMs, clock, signOn: signOnOf(identity, clock) }),
    subject,
    http,
    signsOn: !http && pack.conversation.signOn,
    sameWords: (one, other) => Buffer.compare(pack.write(one), pack.write(other)) === 0,
    hasBody: message => !http || readHttpRequest(pack.write(message)).body.length > 0,
    hasSecret: http && pack.credentials.some(({ kind }) => kind === 'secret'),
    number,
    fresh: () => {
      next++
      return theirs ? subject.numberFor(PLAIN_FROM + next) : customers[next]
    },
    stamp: (message): Message => {
      const { trace, own } = numbers.next()
      const digits = http ? trace : String(++traces).padStart(pack.traceDigits, '0')
      const stamped = { ...message, trace: digits, sentAt: localTime(clock.nowMs()) }
      if (!('transport' in pack)) return known(pack, { channel: '6021', ...stamped, ...identity })
      if (!pack.needsOwnReference || stamped.reference?.own !== undefined) return stamped
      return { ...stamped, reference: { ...stamped.reference, own } }
    },
    book:
      theirs &&
      (wanted =>
        [...theirs.book.entries()].filter(({ account }) => account.endsWith(`/${wanted}`))),
  }
}

/** With the number that its dialect knows a payment by, where it has one. */
function known({ makeReference }: Pack, message: Message): Message {
  if (!makeReference || message.reference?.own !== undefined) return message
  return { ...message, reference: { ...message.reference, own: makeReference(message) } }
}
