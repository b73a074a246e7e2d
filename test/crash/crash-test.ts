import { join } from 'node:path'
import { between, errorText, type Random, SeededRandom, SystemClock } from '#base'
import { Daemon, PARTNERS } from '../e2e/daemon.ts'
import { BillerProcess } from '../e2e/biller-process.ts'
import { closeFolder, freePort, sleep, tempFolder } from '../e2e/process.ts'
import { type Habits, Shopper, type Ticket } from '../simulation/shopper.ts'
import { type Break, compareBooks } from '../simulation/three-books.ts'
import { openBooks } from './books.ts'
import type { CrashOptions } from './options.ts'

/** Who is killed, and how often in twenty: mostly the daemon, at times two at once. */
const VICTIMS = [
  { name: 'daemon', weight: 11 },
  { name: 'biller', weight: 4 },
  { name: 'postgres', weight: 3 },
  { name: 'daemon and postgres', weight: 1 },
  { name: 'daemon and biller', weight: 1 },
] as const
type Victim = (typeof VICTIMS)[number]['name']

const HABITS: Habits = {
  patienceMs: 12_000,
  impatient: 0.1,
  persistent: 0.3,
  regretful: 0.1,
  clumsy: 0.03,
}
/** What a till does in a second when nothing goes wrong. */
const PAYMENTS_PER_TILL = 3.5
/** After the last trouble every payment has come to its end within this (issue: the lab's configuration). */
const RECOVERY_MS_MAX = 15_000
const SETTLE_MS_MAX = 30_000

export type CrashReport = {
  readonly payments: number
  readonly kills: number
  readonly killed: Readonly<Record<string, number>>
  readonly lost: number
  readonly double: number
  readonly disagreements: number
  readonly openAfterRecovery: number
  readonly suspectsResolved: number
  readonly recoverySeconds: number
  readonly seed: number
  readonly ok: boolean
}

/**
 * The real daemon with its real database between tills and a simulated biller, killed with kill -9
 * again and again; in the end the three books must agree.
 *
 *     tills ──TCP──▶ daemon ──TCP──▶ biller
 *                      │                └─ a book in a file
 *                      └─ PostgreSQL
 */
export class CrashTest {
  readonly #options: CrashOptions
  readonly #random: Random
  readonly #folder: string
  readonly #daemon: Daemon
  readonly #biller: BillerProcess
  readonly #shoppers: readonly Shopper[]
  readonly #killed: Record<string, number> = {}
  readonly #breaks: Break[] = []
  readonly #say: (line: string) => void
  #shopping = true
  /** The daemon is meant to run: that it does not is a finding. */
  #expected = false
  #recoveryMs = 0
  #unrecovered = 0
  #suspectsResolved = 0

  private constructor(options: CrashOptions, billerPort: number, say: (line: string) => void) {
    this.#options = options
    this.#say = say
    this.#random = new SeededRandom(options.seed)
    this.#folder = tempFolder('nadi-crash-', options.keep)
    this.#daemon = new Daemon({ billerPort, keep: options.keep })
    const file = (name: string): string => join(this.#folder, name)
    this.#biller = new BillerProcess(billerPort, file('biller.book'), file('biller.out'))
    this.#shoppers = this.#hireShoppers()
  }

  static async create(options: CrashOptions, say: (line: string) => void): Promise<CrashTest> {
    return new CrashTest(options, await freePort(), say)
  }

  /** Never leaves a process behind; folders stay with `keep`, and when something is wrong. */
  async run(): Promise<{ report: CrashReport; breaks: readonly Break[] }> {
    let ok = false
    try {
      await this.#live()
      ok = this.#report().ok
    } catch (error) {
      // Something did not come up again, or could not be asked: that is a finding like any other.
      this.#breaks.push({ kind: 'disagreement', text: errorText(error) })
    } finally {
      await this.#cleanUp(ok && !this.#options.keep)
    }
    return { report: this.#report(), breaks: this.#breaks }
  }

  async #live(): Promise<void> {
    await this.#biller.start()
    await this.#startDaemon()
    const shopping = Promise.all(this.#shoppers.map(one => one.shop(() => this.#shopping)))
    for (let nth = 1; nth <= this.#options.kills; nth++) await this.#kill(nth)
    await sleep(500)
    this.#shopping = false
    await shopping
    await this.#settle()
    await this.#compare()
  }

  // ── the trouble ────────────────────────────────────────────────────────────────────────────

  async #kill(nth: number): Promise<void> {
    const random = this.#random
    const victim = drawVictim(random)
    const [waitMs, pauseMs] = [between(random, 300, 3_000), between(random, 50, 1_500)]
    await sleep(waitMs)
    this.#killed[victim] = (this.#killed[victim] ?? 0) + 1
    this.#say(`kill ${nth}: ${victim}`)
    const killedAtMs = Date.now()
    if (victim.startsWith('daemon')) this.#expected = false
    if (victim.includes('postgres')) this.#daemon.killPostgres()
    if (victim.includes('biller')) await this.#biller.kill()
    if (victim.includes('daemon')) await this.#daemon.kill()
    await sleep(pauseMs)
    if (victim.includes('biller')) await this.#biller.start()
    if (victim.includes('daemon')) await this.#startDaemon(killedAtMs)
  }

  async #startDaemon(killedAtMs?: number): Promise<void> {
    await this.#daemon.start()
    this.#expected = true
    const started = this.#daemon.process
    void started?.exited.then(code => {
      if (this.#expected && this.#daemon.process === started) this.#died(code)
    })
    if (killedAtMs !== undefined) void this.#watchRecovery(killedAtMs)
  }

  #died(code: number | NodeJS.Signals): void {
    this.#breaks.push({ kind: 'disagreement', text: `the daemon ended by itself: ${code}` })
  }

  /** How long it takes until nothing is open that was there before the kill; a next kill ends the watch. */
  async #watchRecovery(killedAtMs: number): Promise<void> {
    const started = this.#daemon.process
    const startedAtMs = Date.now()
    for (;;) {
      const open = await this.#daemon.txns('state=open&kind=payment').catch(() => undefined)
      if (this.#daemon.process !== started || started?.ended) return
      const tookMs = Date.now() - startedAtMs
      const old = open?.filter(one => one.openedAtMs < killedAtMs && one.state !== 'suspect')
      if (old?.length === 0) {
        this.#recoveryMs = Math.max(this.#recoveryMs, tookMs)
        return
      }
      if (tookMs > SETTLE_MS_MAX) return
      await sleep(100)
    }
  }

  // ── calm ───────────────────────────────────────────────────────────────────────────────────

  /** Everything runs again: every payment comes to its end, and every partner hears of it. */
  async #settle(): Promise<void> {
    await this.#recover()
    await this.#resolveSuspects()
    const endMs = Date.now() + SETTLE_MS_MAX
    await Promise.all(this.#shoppers.map(one => one.settle(() => Date.now() > endMs)))
    await this.#recover()
    await this.#resolveSuspects()
  }

  async #recover(): Promise<void> {
    const tookMs = await this.#daemon.settled(SETTLE_MS_MAX)
    this.#recoveryMs = Math.max(this.#recoveryMs, tookMs < 0 ? SETTLE_MS_MAX : tookMs)
    if (tookMs < 0) this.#unrecovered++
  }

  /** What a person does: looks into the biller's book, and tells the switch. */
  async #resolveSuspects(): Promise<void> {
    const suspects = await this.#daemon.txns('state=suspect&kind=payment')
    const payments = new Map(this.#biller.payments().map(entry => [entry.trace, entry]))
    for (const { id } of suspects) {
      const { timeline } = await this.#daemon.story(id)
      const traces = timeline.flatMap(entry =>
        entry.what === 'frame' && entry.side === 'destination' && entry.message?.kind === 'payment'
          ? (entry.message.trace ?? [])
          : [],
      )
      const paid = traces.some(trace => payments.get(trace)?.state === 'paid')
      await this.#daemon.resolve(id, paid ? 'paid' : 'reversed')
      this.#suspectsResolved++
    }
  }

  async #compare(): Promise<void> {
    this.#expected = false
    const code = await this.#daemon.kill('SIGTERM')
    if (code !== 0) this.#breaks.push({ kind: 'disagreement', text: `SIGTERM ended with ${code}` })
    await this.#biller.kill('SIGTERM')
    const books = await openBooks(this.#daemon)
    const { journal, billerOf } = books
    try {
      const biller = this.#biller.payments()
      const tickets = this.#tickets
      this.#breaks.push(...(await compareBooks({ journal, biller, tickets, billerOf })))
    } finally {
      await books.close()
    }
  }

  // ── the parts ──────────────────────────────────────────────────────────────────────────────

  #hireShoppers(): Shopper[] {
    const count = Math.ceil(this.#options.paymentsPerSecond / PAYMENTS_PER_TILL)
    return Array.from({ length: count }, (_, at) => {
      const index = at % PARTNERS.length
      const partner = PARTNERS[index]?.partner ?? ''
      const till = this.#daemon.till(index, text => {
        this.#breaks.push({ kind: 'disagreement', text })
      })
      // Each has chance of its own: who comes first is the machine's business, not the seed's.
      const random = new SeededRandom(this.#options.seed * 1000 + at)
      return new Shopper(till, partner, new SystemClock(), random, HABITS)
    })
  }

  get #tickets(): Ticket[] {
    return this.#shoppers.flatMap(({ tickets }) => tickets)
  }

  #report(): CrashReport {
    const count = (kind: Break['kind']): number =>
      this.#breaks.filter(each => each.kind === kind).length
    const recoverySeconds = Math.round(this.#recoveryMs / 100) / 10
    const figures = {
      payments: this.#tickets.length,
      kills: Object.values(this.#killed).reduce((sum, times) => sum + times, 0),
      killed: this.#killed,
      lost: count('lost'),
      double: count('double'),
      disagreements: count('disagreement'),
      openAfterRecovery: count('open') + this.#unrecovered,
      suspectsResolved: this.#suspectsResolved,
      recoverySeconds,
      seed: this.#options.seed,
    }
    const ok =
      figures.payments > 0 &&
      figures.kills === this.#options.kills &&
      this.#breaks.length === 0 &&
      this.#unrecovered === 0 &&
      this.#recoveryMs <= RECOVERY_MS_MAX
    return { ...figures, ok }
  }

  async #cleanUp(remove: boolean): Promise<void> {
    this.#shopping = false
    this.#expected = false
    await this.#daemon.kill()
    await this.#biller.kill()
    await this.#daemon.end(!remove)
    await closeFolder(this.#folder, !remove)
    if (!remove) this.#say(`kept: ${this.#daemon.folder} ${this.#folder}`)
  }
}

function drawVictim(random: Random): Victim {
  const whole = VICTIMS.reduce((sum, { weight }) => sum + weight, 0)
  let at = between(random, 1, whole)
  for (const { name, weight } of VICTIMS) if ((at -= weight) <= 0) return name
  return 'daemon'
}
