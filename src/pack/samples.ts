import { DICTIONARY, isPath, type Message } from '#message'
import { Check } from './check.ts'
import { parseTree, type Problem, type Tree } from './source.ts'

/** A message of the dialect with its meaning, told in the pack's samples.yaml and run as a test. */
export type Sample = {
  readonly title: string
  /** Where it stands: `pln-2003-111/samples.yaml:12`. */
  readonly at: string
  /** The frame as text, one character a byte. */
  readonly frame: string
  readonly message: Message
}

/**
 * `samples.yaml`: a list of `{ title, frame, message }`. Values of the message take the type that
 * the dictionary gives their path.
 */
export function readSamples(
  path: string,
  text: string,
): { readonly samples: readonly Sample[]; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const check = new Check(problems)
  const tree = parseTree(path, text, problems)
  const samples: Sample[] = []
  for (const item of (tree && check.list(tree, 'samples'))?.items ?? []) {
    const map = check.map(item, 'a sample')
    if (!map) continue
    check.only(map, ['title', 'frame', 'message'])
    const [title, frame, message] = ['title', 'frame', 'message'].map(
      key => check.need(map, key)?.value,
    )
    if (title?.tag !== 'text' || frame?.tag !== 'text' || message?.tag !== 'map') continue
    const value = toValue(check, message, '') as Message
    samples.push({ title: title.text, at: title.at, frame: frame.text, message: value })
  }
  return { samples, problems }
}

/** The message that a tree tells, or a part of one. */
export function messageOf(check: Check, tree: Tree): Partial<Message> {
  return toValue(check, tree, '') as Partial<Message>
}

/** Fields of Message that are not business values, and so not in the dictionary. */
const ENVELOPE = ['kind', 'direction', 'meaning', 'reason', 'code']

function toValue(check: Check, tree: Tree, path: string): unknown {
  switch (tree.tag) {
    case 'nothing':
      return check.wrong(tree.at, `"${path}" has no value`)
    case 'text':
      return toScalar(check, tree.at, tree.text, path)
    case 'list':
      return tree.items.map((item, index) =>
        toValue(check, item, isPath(`${path}[${index}]`) ? `${path}[${index}]` : `${path}[]`),
      )
    case 'map': {
      const entries = [...tree.entries].map(([key, { value }]) => {
        const inside = path === '' ? key : `${path}.${key}`
        return [key, toValue(check, value, inside)]
      })
      return Object.fromEntries(entries) as unknown
    }
  }
}

function toScalar(check: Check, at: string, text: string, path: string): unknown {
  if (path === 'repeat') return text === 'yes'
  if (ENVELOPE.includes(path.replace('outcome.', '')) || path.startsWith('echoed.')) return text
  if (!isPath(path)) return check.wrong(at, `"${path}" is not a path of the normalized message`)
  const { kind } = DICTIONARY[path]
  if (kind === 'money')
    return /^-?\d+$/.test(text) ? BigInt(text) : check.wrong(at, `"${text}" is no amount`)
  if (kind === 'integer') return Number(text)
  return text
}
