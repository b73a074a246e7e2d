import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { Run } from './engine.ts'

const FOLDER = new URL('../node_modules/.cache/nadi-fuzz/', import.meta.url).pathname
const FILE = `${FOLDER}runs.jsonl`

/** Runs are remembered from one call to the next, since they are done in pieces. */
export function remember(run: Run): void {
  mkdirSync(FOLDER, { recursive: true })
  appendFileSync(FILE, `${JSON.stringify({ ...run, finding: run.finding !== undefined })}\n`)
}

type Told = Omit<Run, 'finding'> & { readonly finding: boolean }

/** All that was remembered, a line a target. */
export function results(): string {
  const lines = existsSync(FILE) ? readFileSync(FILE, 'utf8').split('\n') : []
  const runs = lines.filter(line => line !== '').map(line => JSON.parse(line) as Told)
  const rows = [...Map.groupBy(runs, ({ target }) => target)].map(([target, of]) =>
    rowOf(target, of),
  )
  const head = [
    'target',
    'executions',
    'seconds',
    'a second',
    'edges',
    'inputs',
    'MB at most',
    'findings',
  ]
  return [head, ...rows, rowOf('all', runs)].map(row => row.map(cell).join('')).join('\n')
}

function rowOf(target: string, runs: readonly Told[]): string[] {
  const sum = (of: (run: Told) => number): number => runs.reduce((all, run) => all + of(run), 0)
  const most = (of: (run: Told) => number): number => Math.max(0, ...runs.map(of))
  const [executions, seconds] = [sum(run => run.executions), sum(run => run.seconds)]
  const one = target === 'all' ? '' : undefined
  return [
    target,
    String(executions),
    String(seconds),
    String(Math.round(executions / Math.max(1, seconds))),
    one ?? String(most(run => run.edges)),
    one ?? String(most(run => run.corpus)),
    String(most(run => run.rssMb)),
    String(sum(run => (run.finding ? 1 : 0))),
  ]
}

function cell(text: string, index: number): string {
  return index === 0 ? text.padEnd(10) : text.padStart(12)
}
