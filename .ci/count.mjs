// Reads what tap printed and closes with the real counts: node .ci/count.mjs LOG STATUS
import { readFileSync } from 'node:fs'

const [, , file = '', status = '1'] = process.argv
const log = readFileSync(file, 'utf8')
// tap's own sum over all files: # { total: 425, pass: 424, fail: 1, skip: 2 }
const summary = log.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? ''
const count = name => Number(new RegExp(`\\b${name}: (\\d+)`).exec(summary)?.[1] ?? 0)

const passed = count('pass')
const failed = count('fail')
const skipped = count('skip') + count('todo')
if (Number(status) !== 0 || failed > 0 || passed === 0) {
  const failures = log.split('\n').filter(line => /^\s*not ok /.test(line))
  console.log(log.split('\n').slice(-400).join('\n'))
  console.log(failures.join('\n'))
  process.exitCode = 1
}
console.log(`${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`)
