import { once } from 'node:events'
import { SystemClock, SystemRandom } from '#base'
import type { ApiPartnerTest, PartnerTest, Spoken } from '#conformance'
import type { HttpPack, Pack } from '#pack'
import { NO_LOG } from '#telemetry'
import type { Context } from '../context.ts'
import { milliseconds } from '../parse.ts'
import { printTable } from '../table.ts'
import type { TestPackOptions } from './test-pack.ts'
import { caseLine, told } from './told.ts'

type Speaking = { readonly pack: Pack | HttpPack; readonly spoken: readonly Spoken[] }

/** Nothing came for so many times as long as the partner waits for an answer: it has done all. */
const QUIET_PATIENCES = 5
const LOOK_EVERY_MS = 100

/** `nadi pack test --as partner` and `--as api-partner`: says what to send, listens, and judges. */
export async function judgeAPartner(
  context: Context,
  speaking: Speaking,
  options: TestPackOptions,
): Promise<number> {
  const { terminal } = context
  const [patienceMs, forMs] = [
    await milliseconds(options.patience),
    await milliseconds(options.for),
  ]
  const clock = new SystemClock()
  const { testApiPartner, testPartner } = await import('#conformance')
  const begin = options.as === 'api-partner' ? testApiPartner : testPartner
  const test: PartnerTest & Partial<ApiPartnerTest> = await begin({
    ...speaking,
    host: options.host,
    port: options.port,
    patienceMs,
    ...(options.callbackUrl !== undefined && { callbackUrl: options.callbackUrl }),
    ...(options.product && { products: options.product }),
    ...(options.only && { only: options.only }),
    clock,
    random: new SystemRandom(),
    log: NO_LOG,
  })
  const { place, tasks } = test
  const where = place.tag === 'tcp' ? `${place.host}:${place.port}` : place.url
  terminal.err(`listening on ${where}`)
  // Made for this test, and good for nothing else.
  if (test.key) terminal.err(`key ${test.key.id}, secret ${test.key.secret.reveal()}`)
  if (!context.json) {
    terminal.out('Ask about each of these numbers and pay it, as for any customer:')
    printTable(
      terminal,
      tasks,
      [
        { title: 'PRODUCT', text: ({ product }) => product },
        { title: 'NUMBER', text: ({ number }) => number },
        { title: 'WHAT HAPPENS', text: ({ text }) => text },
      ],
      'There is nothing to be tested: no sample asks for a product.',
    )
  }
  await ended(() => test.quiet(patienceMs * QUIET_PATIENCES), clock.nowMs() + forMs, clock)
  const report = await test.end()
  if (!context.json) for (const one of report.cases) terminal.out(caseLine(context, one))
  return told(context, report, options.report)
}

/** All is done, time is up, or somebody wants to see the report now (Ctrl-C). */
async function ended(isDone: () => boolean, untilMs: number, clock: SystemClock): Promise<void> {
  const stop = new AbortController()
  const stopped = once(process, 'SIGINT', { signal: stop.signal }).then(
    () => true,
    () => true,
  )
  for (;;) {
    const pause = new Promise<false>(resolve => {
      clock.at(clock.nowMs() + LOOK_EVERY_MS, () => resolve(false))
    })
    if ((await Promise.race([stopped, pause])) || isDone() || clock.nowMs() >= untilMs) break
  }
  stop.abort()
}
