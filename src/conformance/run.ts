import { type Clock, localTime, type Random } from '#base'
import type { HttpPack, Pack } from '#pack'
import type { Log } from '#telemetry'
import { type Case, casesFor, plainCase } from './cases.ts'
import { type Place, shownPlace } from './place.ts'
import { play } from './play.ts'
import { probeAll } from './probe-all.ts'
import { type CaseReport, type Report, reportOf } from './report.ts'
import { type Spoken, subjectsOf } from './subjects.ts'

export type TestOptions = {
  /** Over HTTP with its credentials. */
  readonly pack: Pack | HttpPack
  /** The messages of its samples: from these it is known what the dialect's requests are made of. */
  readonly spoken: readonly Spoken[]
  readonly patienceMs: number
  /** A real counterpart; the pack's simulator when there is none. */
  readonly place?: Place
  /** Numbers of its customers by product, to be asked about and paid for. */
  readonly customers?: Readonly<Record<string, readonly string[]>>
  /** These products only. */
  readonly products?: readonly string[]
  /** Of all cases only those with these names. */
  readonly only?: readonly string[]
  /** How many cases are played at once. */
  readonly atOnce: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly onCase?: (report: CaseReport) => void
}

/**
 * The conversation of every product and every hostile case. Against the simulator both sides are
 * hostile in turn; to a real counterpart only we are, in what needs nobody's help.
 */
export async function testPack(options: TestOptions): Promise<Report> {
  const { pack, spoken, products, only, clock, place, customers = {} } = options
  const { onCase = () => {} } = options
  const startedAt = localTime(clock.nowMs())
  const { subjects, silent } = subjectsOf(pack, spoken)
  const wanted = subjects.filter(({ product }) => products?.includes(product) ?? true)
  const remarks = silent.map(product => `not tested: no sample asks for or pays ${product}`)
  const reports: CaseReport[] = []
  const add = (report: CaseReport): void => {
    reports.push(report)
    onCase(report)
  }
  for (const subject of wanted) {
    const given = customers[subject.product] ?? []
    if (place && given.length === 0) {
      remarks.push(`not tested: ${subject.product} needs a number of theirs (--customer)`)
      continue
    }
    const [first, ...others] = given
    const cases = place ? [plainCase(subject, first ?? '')] : casesFor(subject, pack)
    const named = cases.filter(({ name }) => only?.includes(name) ?? true)
    for (const report of await inTurn(named, options)) add(report)
    for (const report of await probeAll(options, subject, others, only)) add(report)
  }
  const against = place ? shownPlace(place) : "the pack's simulator"
  return reportOf({ pack: pack.name, against, startedAt, remarks }, reports)
}

/** So many at once; the reports stand in the order of the cases. */
async function inTurn(cases: readonly Case[], options: TestOptions): Promise<CaseReport[]> {
  const reports: CaseReport[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (;;) {
      const at = next++
      const one = cases[at]
      if (!one) return
      reports[at] = await play(one, options)
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, options.atOnce) }, worker))
  return reports
}
