import type { Message, Path } from '#message'
import { ACCESS } from './access.ts'
import { piecesOf, type Plan } from './plan.ts'

/** Never on the wire in any part of a key, so that two sets of parts cannot run together. */
const SEPARATOR = '|'

type KeyPart = (message: Message) => string

/**
 * What an answer is matched by: the parts that the pack names, each as it stands on the wire (so
 * padding makes no difference), an absent one as nothing. Parts that a kind of message does not
 * carry are left out for that kind. Neither `repeat` nor `direction` is part of it: a repeat may be
 * answered with either type.
 */
export function makeKeys(
  match: readonly (Path | 'kind')[],
  plans: readonly Plan[],
): (message: Message) => string {
  const byKind = new Map<string, readonly KeyPart[]>()
  for (const plan of plans) {
    if (byKind.has(plan.kind)) continue
    const parts: KeyPart[] = []
    for (const path of match) {
      const part = path === 'kind' ? (message: Message) => message.kind : makePart(path, plan)
      if (part) parts.push(part)
    }
    byKind.set(plan.kind, parts)
  }
  return message => {
    const parts = byKind.get(message.kind) ?? []
    let key = ''
    for (let i = 0; i < parts.length; i++) {
      if (i > 0) key += SEPARATOR
      key += (parts[i] as KeyPart)(message)
    }
    return key
  }
}

function makePart(path: Path, plan: Plan): KeyPart | undefined {
  const piece = piecesOf(plan.request.elements).find(one => one.path === path)
  if (!piece || path === 'outcome') return undefined
  const access = ACCESS[path]
  const normalise = piece.normalise ?? ((value: string) => value)
  return message => {
    const value = access.get(message) as string | undefined
    return value === undefined ? '' : normalise(value)
  }
}
