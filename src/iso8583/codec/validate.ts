import type { IsoMessage, IsoPath, IsoProblem } from './codec.ts'
import { conditionText, demandOf } from './condition.ts'
import { Message } from './message.ts'
import type { ConditionSpec, OverlaySpec } from './spec.ts'

/**
 * What is wrong with a message by the overlays that match it; an empty list when nothing is. With
 * the request that it answers, also which fields should have been repeated and were not. Values are
 * never in the text.
 */
export function problemsOf(
  message: IsoMessage,
  request: IsoMessage | undefined,
  path: (text: string) => IsoPath,
): readonly IsoProblem[] {
  if (!(message instanceof Message)) return []
  const problems: IsoProblem[] = []
  for (const { spec, matches } of message.layout.overlays) {
    if (matches(message)) problems.push(...problemsBy(spec, message, request, path))
  }
  return problems
}

type Read = (path: string, from?: IsoMessage) => string | undefined

function problemsBy(
  { mandatory, forbidden, conditions, allowed, echoed }: OverlaySpec,
  message: IsoMessage,
  request: IsoMessage | undefined,
  resolve: (text: string) => IsoPath,
): IsoProblem[] {
  const read: Read = (path, from = message) => resolve(path).read(from)
  const problems: IsoProblem[] = []
  for (const path of mandatory) if (read(path) === undefined) problems.push(missing(path, ''))
  for (const path of forbidden) if (read(path) !== undefined) problems.push(unwanted(path, ''))
  for (const condition of conditions ?? []) problems.push(...problemsIn(condition, read))
  for (const { path, values } of allowed) {
    const value = read(path)
    if (value === undefined || values.includes(value)) continue
    const text = `it is none of ${values.join(', ')}`
    problems.push(problem(path, 'allowed', `one of ${values.join(', ')}`, text))
  }
  for (const path of request ? echoed : []) {
    if (read(path) === read(path, request)) continue
    const text = 'it is not what the request had'
    problems.push(problem(path, 'echoed', 'the value of the request', text))
  }
  return problems
}

function problemsIn(condition: ConditionSpec, read: Read): IsoProblem[] {
  const { path, demand, when } = condition
  const demanded = demandOf(condition, read)
  const there = read(path) !== undefined
  if (demanded === undefined || there === (demanded === 'mandatory')) return []
  const why = `${demanded === demand ? 'when' : 'unless'} ${conditionText(when)}`
  return [demanded === 'mandatory' ? missing(path, why) : unwanted(path, why)]
}

function missing(path: string, why: string): IsoProblem {
  const text = why === '' ? 'it is missing' : `it is missing: mandatory ${why}`
  return problem(path, 'mandatory', `the field${why === '' ? '' : ` ${why}`}`, text)
}

function unwanted(path: string, why: string): IsoProblem {
  const text = why === '' ? 'it must not be there' : `it must not be there: forbidden ${why}`
  return problem(path, 'forbidden', `no such field${why === '' ? '' : ` ${why}`}`, text)
}

function problem(
  path: string,
  rule: IsoProblem['rule'],
  expected: string,
  text: string,
): IsoProblem {
  return { code: 'CODEC_RULE', path, rule, expected, text }
}
