import type { IsoMessage, IsoPath, IsoProblem } from './codec.ts'
import { Message } from './message.ts'
import type { OverlaySpec } from './spec.ts'

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

function problemsBy(
  { mandatory, forbidden, allowed, echoed }: OverlaySpec,
  message: IsoMessage,
  request: IsoMessage | undefined,
  resolve: (text: string) => IsoPath,
): IsoProblem[] {
  const read = (path: string, from = message): string | undefined => resolve(path).read(from)
  const problems: IsoProblem[] = []
  for (const path of mandatory) {
    if (read(path) === undefined) problems.push({ path, rule: 'mandatory', text: 'it is missing' })
  }
  for (const path of forbidden) {
    if (read(path) !== undefined) {
      problems.push({ path, rule: 'forbidden', text: 'it must not be there' })
    }
  }
  for (const { path, values } of allowed) {
    const value = read(path)
    if (value !== undefined && !values.includes(value)) {
      problems.push({ path, rule: 'allowed', text: `it is none of ${values.join(', ')}` })
    }
  }
  for (const path of request ? echoed : []) {
    if (read(path) !== read(path, request)) {
      problems.push({ path, rule: 'echoed', text: 'it is not what the request had' })
    }
  }
  return problems
}
