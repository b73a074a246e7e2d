/**
 * Coverage-guided fuzzing of what reads bytes and texts from outside, with jazzer.js (libFuzzer for
 * Node). Each target throws when something that must always be so is not; so does an input that
 * takes longer than five seconds, or more memory than the limit.
 *
 *   npm run fuzz                                       every target for a minute
 *   npm run fuzz -- --target decode --seconds 600
 *   npm run fuzz -- --target decode --runs 1000000
 *   npm run fuzz -- --keep                             what was found goes into fuzz/corpus
 *   npm run fuzz -- --results                          figures of all runs so far, as a table
 *
 * What it works with lies in node_modules/.cache/nadi-fuzz. Crashing inputs are in `findings` there;
 * they become rows of test/iso8583/crashers.test.ts.
 */
import { parseArgs } from 'node:util'
import { inputsIn, keep } from './corpus.ts'
import { Engine, TARGETS } from './engine.ts'
import { remember, results } from './results.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: '-1' },
    keep: { type: 'boolean', default: false },
    results: { type: 'boolean', default: false },
  },
})
const targets = values.target ?? TARGETS
const unknown = targets.find(target => !TARGETS.includes(target))
if (unknown !== undefined) {
  console.error(`there is no target ${unknown}; there are ${TARGETS.join(', ')}`)
  process.exit(2)
}
if (values.results) {
  console.log(results())
  process.exit(0)
}

const engine = new Engine()
let findings = 0
for (const target of targets) {
  if (values.keep) {
    const inputs = inputsIn(await engine.minimized(target))
    console.log(`${target}: ${keep(target, inputs)} of ${inputs.length} inputs kept`)
    continue
  }
  const run = await engine.run(target, {
    seconds: Number(values.seconds),
    runs: Number(values.runs),
  })
  if (run.executions > 0) remember(run)
  const { executions, seconds, rssMb, edges, corpus, finding } = run
  const rate = Math.round(executions / Math.max(1, seconds))
  console.log(
    `${target}: ${executions} executions in ${seconds} s, ${rate}/s, ${edges} edges, ${corpus} inputs, ${rssMb} MB`,
  )
  if (finding === undefined) continue
  findings++
  console.error(finding)
}
process.exit(findings === 0 ? 0 : 1)
