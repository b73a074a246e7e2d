import { collectDefaultMetrics, type Metric, Registry } from 'prom-client'
import type { Clock, TxnId } from '#base'
import { Gatherer } from './gather.ts'
import { type BucketsName, type CellName, METRICS, type MetricSpec } from './metrics.ts'
import {
  Buckets,
  type Cell,
  readBuckets,
  readCell,
  registrable,
  type Registrable,
  Series,
} from './series.ts'
import type { MetricSources } from './sources.ts'

/**
 * What the house tells of itself. The methods of the hot path add to a number that is found by its
 * labels; everything else is gathered from its owner when somebody asks.
 *
 * It fits the switch's `Observer`.
 */
export class Metrics {
  readonly contentType: string
  readonly #registry = new Registry()
  readonly #cells = new Map<string, Series<Cell>>()
  readonly #buckets = new Map<string, Series<Buckets>>()
  readonly #gatherer: Gatherer

  // Looked up once: these are on the way of every payment.
  readonly #payments: Series<Cell>
  readonly #inquiries: Series<Cell>
  readonly #paymentSeconds: Series<Buckets>
  readonly #inquirySeconds: Series<Buckets>
  readonly #changes: Series<Cell>
  readonly #batch: Buckets
  readonly #commitSeconds: Buckets

  constructor(clock: Clock, build: { readonly version: string; readonly node: string }) {
    for (const [name, spec] of Object.entries(METRICS)) this.#register(name, spec)
    this.contentType = this.#registry.contentType
    this.#gatherer = new Gatherer(clock, name => this.cells(name))
    this.#payments = this.cells('nadi_payments_total')
    this.#inquiries = this.cells('nadi_inquiries_total')
    this.#paymentSeconds = this.#histogram('nadi_payment_seconds')
    this.#inquirySeconds = this.#histogram('nadi_inquiry_seconds')
    this.#changes = this.cells('nadi_txn_changes_total')
    this.#batch = this.#histogram('nadi_journal_batch_commits').of()
    this.#commitSeconds = this.#histogram('nadi_journal_commit_seconds').of()
    this.cells('nadi_build_info').of(build.version, build.node).value = 1
  }

  /** Adds what Node tells of itself: memory, processor, event-loop lag, garbage collection. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry })
  }

  inquiryEnded(product: string, partner: string, outcome: string, tookMs: number): void {
    this.#inquiries.of(product, partner, outcome).value++
    this.#inquirySeconds.of(product).observe(tookMs / 1000)
  }

  paymentAnswered(product: string, partner: string, outcome: string, tookMs: number): void {
    this.#payments.of(product, partner, outcome).value++
    this.#paymentSeconds.of(product).observe(tookMs / 1000)
  }

  paymentChanged(_id: TxnId, product: string, _partner: string, from: string, to: string): void {
    this.#changes.of(product, from, to).value++
  }

  oddAnswer(link: string, what: string): void {
    this.cells('nadi_odd_answers_total').of(link, what).value++
  }

  /** One batch of the journal has become durable. */
  journalBatch(commits: number, tookMs: number): void {
    this.#batch.observe(commits)
    this.#commitSeconds.observe(tookMs / 1000)
  }

  /** Where the other figures come from; each is asked at every `render`. */
  collect(sources: Partial<MetricSources>): void {
    this.#gatherer.add(sources)
  }

  /** The text that Prometheus reads. A source that fails or takes too long costs only its own figures. */
  async render(): Promise<string> {
    await this.#gatherer.gather()
    return this.#registry.metrics()
  }

  /** The series of a counter or gauge, by label values in the order of the table. */
  cells(name: CellName): Series<Cell> {
    return this.#cells.get(name) as Series<Cell>
  }

  #histogram(name: BucketsName): Series<Buckets> {
    return this.#buckets.get(name) as Series<Buckets>
  }

  #register(name: string, spec: MetricSpec): void {
    const { buckets } = spec
    if (buckets) {
      const series = new Series(name, spec, () => new Buckets(buckets))
      this.#buckets.set(name, series)
      this.#hand(registrable(series, readBuckets(name)))
    } else {
      const series = new Series<Cell>(name, spec, () => ({ value: 0 }))
      this.#cells.set(name, series)
      this.#hand(registrable(series, readCell(name)))
    }
  }

  #hand(metric: Registrable): void {
    // The registry uses no more of a metric than this; its types ask for its own classes.
    this.#registry.registerMetric(metric as unknown as Metric)
  }
}
