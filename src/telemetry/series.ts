import type { MetricSpec } from './metrics.ts'

/** One series of a counter or gauge: hot code holds it and adds to it; nothing is looked up. */
export type Cell = { value: number }

/** One series of a histogram. */
export class Buckets {
  readonly bounds: readonly number[]
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length)
  }

  observe(value: number): void {
    this.sum += value
    this.count++
    const { bounds } = this
    for (let index = 0; index < bounds.length; index++) {
      if (value > (bounds[index] as number)) continue
      this.counts[index] = (this.counts[index] as number) + 1
      return
    }
  }
}

type Labels = Record<string, string | number>
type Sample = { metricName: string; labels: Labels; value: number }

/** Above it new series become one, `other`: label values that come from outside fill no memory. */
const SERIES_MAX = 5000
const OTHER = 'other'

/**
 * One metric with its series, kept by us and read by prom-client's registry at the scrape. Its own
 * counters make an object and hash every label on every call; these cost one addition.
 */
export class Series<T> {
  readonly name: string
  readonly spec: MetricSpec
  readonly #fresh: () => T
  readonly #root: Node<T> = new Map()
  #size = 0

  constructor(name: string, spec: MetricSpec, fresh: () => T) {
    this.name = name
    this.spec = spec
    this.#fresh = fresh
  }

  /** The series of these label values, in the order of the table. */
  of(a?: string, b?: string, c?: string): T {
    const found = this.#find(a, b, c)
    if (found !== undefined) return found
    if (this.#size >= SERIES_MAX) return this.#find(OTHER) ?? this.#add([OTHER])
    return this.#add([a, b, c].filter(value => value !== undefined))
  }

  /** Forgets all series: for gauges that are gathered anew. */
  clear(): void {
    this.#root.clear()
    this.#size = 0
  }

  *samples(): Generator<[labels: Labels, series: T]> {
    const { labels } = this.spec
    for (const [a, second] of this.#root)
      for (const [b, third] of second)
        for (const [c, series] of third) {
          const values = [a, b, c]
          yield [Object.fromEntries(labels.map((label, i) => [label, values[i] || OTHER])), series]
        }
  }

  // Absent levels stand under the empty text, so that every path has three.
  #find(a = '', b = '', c = ''): T | undefined {
    return this.#root.get(a)?.get(b)?.get(c)
  }

  #add([a = '', b = '', c = '']: readonly string[]): T {
    const series = this.#fresh()
    const second = upsert(this.#root, a)
    upsert(second, b).set(c, series)
    this.#size++
    return series
  }
}

type Node<T> = Map<string, Map<string, Map<string, T>>>

function upsert<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let inner = map.get(key)
  if (!inner) map.set(key, (inner = new Map()))
  return inner
}

/** What the registry of prom-client asks of a metric. */
export type Registrable = {
  readonly name: string
  readonly help: string
  readonly type: MetricSpec['type']
  get(): Promise<{
    name: string
    help: string
    type: string
    values: Sample[]
    aggregator: 'sum'
  }>
}

export function registrable<T>(
  series: Series<T>,
  read: (labels: Labels, one: T) => readonly Sample[],
): Registrable {
  const { name, spec } = series
  return {
    name,
    help: spec.help,
    type: spec.type,
    async get() {
      const values = [...series.samples()].flatMap(([labels, one]) => read(labels, one))
      return { name, help: spec.help, type: spec.type, values, aggregator: 'sum' }
    },
  }
}

export function readCell(metricName: string) {
  return (labels: Labels, { value }: Cell): Sample[] => [{ metricName, labels, value }]
}

/** Buckets on the wire are cumulative, and the last one holds everything. */
export function readBuckets(name: string) {
  return (labels: Labels, { bounds, counts, sum, count }: Buckets): Sample[] => {
    let below = 0
    const samples = bounds.map((bound, index): Sample => {
      below += counts[index] as number
      return { metricName: `${name}_bucket`, labels: { ...labels, le: bound }, value: below }
    })
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count })
    samples.push({ metricName: `${name}_sum`, labels, value: sum })
    samples.push({ metricName: `${name}_count`, labels, value: count })
    return samples
  }
}
