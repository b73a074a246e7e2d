import t from 'tap'
import { declined, REASONS, type Outcome, type Reason } from '#message'
import { Check } from '../../src/pack/check.ts'
import { compileCodes } from '../../src/pack/codes.ts'
import { parseTree, type Problem } from '../../src/pack/source.ts'

const own = { approved: '00', 'other-error': '05', timeout: '68' } as const

/** A table that has a code for every reason; its success is none of a payment or of a status check. */
function tableOf(success: string) {
  const say = (Object.keys(REASONS) as Reason[]).filter(reason => !(reason in own))
  const text = [
    'codes:',
    `  '00': ${success}`,
    "  '05': declined other-error",
    "  '68': unknown timeout",
    '  other: declined other-error',
    'say:',
    ...say.map(reason => `  ${reason}: '05'`),
  ].join('\n')
  const problems: Problem[] = []
  const check = new Check(problems)
  const tree = parseTree('pack.yaml', text, problems)
  const root = tree && check.map(tree, 'pack.yaml')
  const section = (name: string) => {
    const entry = root?.entries.get(name)
    return entry && check.map(entry.value, name)
  }
  const codes = section('codes')
  if (!codes) throw new Error('no codes')
  const table = compileCodes(check, codes, section('say'))
  t.same(problems, [])
  return table
}

t.test('a success that is none keeps no reason of one, and is not written for it', async t => {
  const table = tableOf('approved, unknown on payment, nothing on status, declined on advice')
  t.same(table.outcomeOf('inquiry', '00'), { meaning: 'approved', reason: 'approved', code: '00' })
  t.same(table.outcomeOf('payment', '00'), { meaning: 'unknown', reason: 'timeout', code: '00' })
  t.same(table.outcomeOf('status', '00'), { meaning: 'nothing', reason: 'no-payment', code: '00' })
  t.same(table.outcomeOf('advice', '00'), {
    meaning: 'declined',
    reason: 'other-error',
    code: '00',
  })
  const written: [title: string, outcome: Outcome, code: string][] = [
    ['an outcome of our own', { meaning: 'unknown', reason: 'timeout' }, '68'],
    ['a no of our own', declined('other-error'), '05'],
    ["another dialect's code", { meaning: 'unknown', reason: 'timeout', code: 'x' }, '68'],
    ['as it was read', table.outcomeOf('payment', '00'), '00'],
    ['a no that bears the code of success', { ...declined('other-error'), code: '00' }, '05'],
  ]
  for (const [title, outcome, code] of written)
    t.equal(table.codeFor('payment', outcome), code, title)
})
