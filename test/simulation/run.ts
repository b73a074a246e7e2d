import { parseArgs } from 'node:util'
import { SimulatedWorld } from './world.ts'

// npm run simulate -- --seed 42 --payments 10000
// The same seed prints the same, to the byte; wall-clock figures go to standard error.

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    payments: { type: 'string', default: '1000' },
    tills: { type: 'string', default: '16' },
    trouble: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})

const startedMs = performance.now()
const report = await new SimulatedWorld({
  seed: Number(values.seed),
  payments: Number(values.payments),
  tills: Number(values.tills),
  trouble: Number(values.trouble),
}).run()

if (values.json) console.log(JSON.stringify(report))
else {
  const { violations, ...figures } = report
  for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(16)} ${value}`)
  for (const violation of violations) console.log(`VIOLATION        ${violation}`)
  console.log(violations.length === 0 ? 'all is well' : `seed ${report.seed} fails`)
}
const seconds = (performance.now() - startedMs) / 1000
console.error(
  `${seconds.toFixed(1)} s of wall clock, ${(report.steps / seconds).toFixed(0)} steps/s`,
)
process.exitCode = report.violations.length === 0 ? 0 : 1
