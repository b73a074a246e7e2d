import type { Dialect } from './dialect.ts'
import { shown } from './mask.ts'
import { meaningOf, mtiMeaning } from './meanings.ts'
import { leavesOf, treeOf, type Node } from './tree.ts'
import type { Read } from './view.ts'

/** One value that is not the same in two messages. */
export type Difference = {
  readonly path: string
  readonly name: string
  readonly sign: '+' | '-' | '~'
  readonly left: string
  readonly right: string
  readonly meaning: string
}

export function differences(
  dialect: Dialect,
  left: Read,
  right: Read,
  unsafe: boolean,
): Difference[] {
  const [a, b] = [leaves(dialect, left), leaves(dialect, right)]
  const paths = [...new Set([...a.keys(), ...b.keys()])]
  const out: Difference[] = []
  if (left.plain.mti !== right.plain.mti) {
    out.push({
      path: 'mti',
      name: 'message type',
      sign: '~',
      left: left.plain.mti,
      right: right.plain.mti,
      meaning: mtiMeaning(right.plain.mti) ?? '',
    })
  }
  for (const path of paths.toSorted(byPath)) {
    const [one, other] = [a.get(path), b.get(path)]
    if (one?.text === other?.text) continue
    const node = (other ?? one) as Node
    const beside = { mti: right.plain.mti, value: (at: string) => b.get(at)?.text }
    const hidden = node.mask !== undefined && !unsafe
    out.push({
      path,
      name: node.name,
      sign: one === undefined ? '+' : other === undefined ? '-' : '~',
      left: one ? shown(one, unsafe) : '',
      right: other ? shown(other, unsafe) : '',
      meaning: hidden ? '' : (meaningOf(path, other?.text ?? '', beside) ?? ''),
    })
  }
  return out
}

function leaves({ spec }: Dialect, { plain }: Read): Map<string, Node> {
  return new Map(leavesOf(treeOf(spec, plain)).map(node => [node.path, node]))
}

/** Numbers as numbers: 9 before 10, 55.82 behind 55. */
function byPath(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
