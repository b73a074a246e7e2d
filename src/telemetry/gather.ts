import type { Clock } from '#base'
import type { CellName } from './metrics.ts'
import type { Cell, Series } from './series.ts'
import type {
  KeyFigures,
  LinkFigures,
  ListenerFigures,
  MetricSources,
  OpenFigures,
} from './sources.ts'

/** A source that has not answered by then keeps its figures of the time before. */
const PATIENCE_MS = 2000

const LINK_STATES = [
  'down',
  'dialing',
  'signing-on',
  'up',
  'tripped',
  'probing',
  'draining',
  'stopped',
] as const

const LINK_FIGURES = {
  nadi_link_in_flight: 'inFlight',
  nadi_link_sent_total: 'sent',
  nadi_link_answered_total: 'answered',
  nadi_link_late_total: 'late',
  nadi_link_unmatched_total: 'unmatched',
  nadi_link_unanswered_total: 'unanswered',
  nadi_link_not_sent_total: 'notSent',
  nadi_link_reconnects_total: 'reconnects',
} as const satisfies Partial<Record<CellName, keyof LinkFigures>>

const LISTENER_FIGURES = {
  nadi_listener_sessions: 'sessions',
  nadi_listener_in_flight: 'inFlight',
  nadi_listener_accepted_total: 'accepted',
  nadi_listener_refused_total: 'refused',
  nadi_listener_frames_total: 'frames',
  nadi_listener_bad_frames_total: 'badFrames',
} as const satisfies Partial<Record<CellName, keyof ListenerFigures>>

type SourceName = keyof MetricSources
type Figures<Name extends SourceName> = Awaited<ReturnType<MetricSources[Name]>>

/** Asks the sources and puts what they say into the series. */
export class Gatherer {
  readonly #clock: Clock
  readonly #cells: (name: CellName) => Series<Cell>
  readonly #sources = new Map<SourceName, () => unknown>()
  /** Asked and not answered yet: a source that hangs is not asked again and again. */
  readonly #asked = new Set<SourceName>()
  #open: readonly OpenFigures[] = []

  constructor(clock: Clock, cells: (name: CellName) => Series<Cell>) {
    this.#clock = clock
    this.#cells = cells
  }

  add(sources: Partial<MetricSources>): void {
    for (const [name, source] of Object.entries(sources))
      this.#sources.set(name as SourceName, source.bind(sources))
  }

  async gather(): Promise<void> {
    await Promise.all([
      this.#ask('links', links => this.#putLinks(links)),
      this.#ask('listeners', listeners => this.#putListeners(listeners)),
      this.#ask('journal', ({ available, queue }) => {
        this.#cells('nadi_journal_available').of().value = available ? 1 : 0
        this.#cells('nadi_journal_queue').of().value = queue
      }),
      this.#ask('safDepth', depth => (this.#cells('nadi_saf_depth').of().value = depth)),
      this.#ask('callbacks', links => {
        for (const { link, counts } of links)
          for (const [what, count] of Object.entries(counts))
            this.#cells('nadi_callbacks_total').of(link, what).value = count
      }),
      this.#ask('security', zones => {
        for (const { zone, counts } of zones)
          for (const [what, count] of Object.entries(counts))
            this.#cells('nadi_security_total').of(zone, what).value = count
      }),
      this.#ask('hsm', ({ up, inFlight }) => {
        this.#cells('nadi_hsm_up').of().value = up ? 1 : 0
        this.#cells('nadi_hsm_in_flight').of().value = inFlight
      }),
      this.#ask('keys', figures => this.#putKeys(figures)),
      this.#ask('openTxns', open => (this.#open = open)),
      this.#ask('balances', balances => {
        for (const { partner, account, balanceMinor } of balances)
          if (account === 'deposit' || account === 'hold')
            this.#cells('nadi_ledger_balance_rupiah').of(partner, account).value =
              Number(balanceMinor) / 100
      }),
    ])
    this.#putOpen()
  }

  async #ask<Name extends SourceName>(
    name: Name,
    put: (figures: Figures<Name>) => void,
  ): Promise<void> {
    const source = this.#sources.get(name)
    if (!source || this.#asked.has(name)) return
    this.#asked.add(name)
    const answered = (async () => {
      try {
        put((await source()) as Figures<Name>)
      } catch {
        this.#cells('nadi_scrape_failures_total').of(name).value++
      } finally {
        this.#asked.delete(name)
      }
    })()
    await this.#within(answered)
  }

  /** Waits for it, but not forever. */
  #within(answered: Promise<void>): Promise<void> {
    return new Promise(resolve => {
      const cancel = this.#clock.at(this.#clock.nowMs() + PATIENCE_MS, resolve)
      void answered.then(() => {
        cancel()
        resolve()
      })
    })
  }

  #putLinks(links: readonly LinkFigures[]): void {
    for (const link of links) {
      for (const state of LINK_STATES)
        this.#cells('nadi_link_state').of(link.name, state).value = link.state === state ? 1 : 0
      for (const [metric, figure] of Object.entries(LINK_FIGURES))
        this.#cells(metric as keyof typeof LINK_FIGURES).of(link.name).value = link[figure]
    }
  }

  #putListeners(listeners: readonly ListenerFigures[]): void {
    for (const listener of listeners)
      for (const [metric, figure] of Object.entries(LISTENER_FIGURES))
        this.#cells(metric as keyof typeof LISTENER_FIGURES).of(listener.name).value =
          listener[figure]
  }

  #putKeys({ keys, pastDue, acts }: KeyFigures): void {
    const cells = this.#cells('nadi_keys')
    cells.clear()
    for (const { zone, type, state } of keys) cells.of(zone, type, state).value++
    this.#cells('nadi_keys_past_due').of().value = pastDue
    for (const [act, count] of acts) this.#cells('nadi_key_acts_total').of(act).value = count
  }

  /** Ages go on growing while the journal cannot be asked. */
  #putOpen(): void {
    const open = this.#cells('nadi_txns_open')
    open.clear()
    for (const { tag, product, count } of this.#open) open.of(tag, product).value += count
    this.#cells('nadi_oldest_unknown_seconds').of().value = this.#ageOfOldest('unknown')
    this.#cells('nadi_oldest_suspect_seconds').of().value = this.#ageOfOldest('suspect')
  }

  #ageOfOldest(state: string): number {
    const atMs = this.#open.filter(({ tag }) => tag === state).map(({ oldestAtMs }) => oldestAtMs)
    return atMs.length === 0 ? 0 : Math.max(0, this.#clock.nowMs() - Math.min(...atMs)) / 1000
  }
}
