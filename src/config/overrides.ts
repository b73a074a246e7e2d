import { isMap, isNode, isSeq, parseDocument } from 'yaml'
import type { Problem } from '#pack'
import type { ConfFile, Documents, Keys } from './documents.ts'
import { suggestion } from './suggestion.ts'

/**
 * Changes single settings before anything is checked: `listeners.partners-iso.port=9001`,
 * `admin.port=0`, `products.pln-postpaid.answerTimeout=1s`. The first word names a file or a folder
 * of conf/, or else a setting of nadi.yaml. What is set is checked like what is written.
 */
export function applyOverrides(documents: Documents, overrides: readonly string[]): Problem[] {
  return overrides.flatMap(override => {
    const words = `--set ${override}`
    const text = applyOne(documents, override, words)
    return text === undefined ? [] : [{ path: words, text }]
  })
}

function applyOne(documents: Documents, override: string, words: string): string | undefined {
  const at = override.indexOf('=')
  const keys = override.slice(0, Math.max(0, at)).split('.')
  if (at < 1 || keys.includes('')) return 'must read PATH=VALUE, like admin.port=9583'
  const found = locate(documents, keys)
  if (typeof found === 'string') return found
  if (found === undefined) return undefined
  const value = parseDocument(override.slice(at + 1), { schema: 'failsafe', logLevel: 'silent' })
  if (value.errors.length > 0) return `the value is not YAML: ${value.errors[0]?.code}`
  const node = value.contents ?? value.createNode('')
  const wrong = parentProblem(found.file, found.keys)
  if (wrong !== undefined) return wrong
  found.file.set(found.keys, node, words)
  return undefined
}

/** The file and the keys in it; a text when there is no such file; undefined when it is already a problem. */
function locate(
  documents: Documents,
  [first = '', ...rest]: readonly string[],
): { file: ConfFile; keys: Keys } | string | undefined {
  switch (first) {
    case 'partners':
    case 'billers':
    case 'products': {
      const file = documents[first]
      if (rest.length === 0) return `names no setting; write ${first}.NAME.SETTING=VALUE`
      return file && { file, keys: rest }
    }
    case 'listeners':
    case 'links': {
      const [name = '', ...keys] = rest
      const files = documents[first]
      const file = files?.get(name)
      if (!files || (files.has(name) && !file)) return undefined
      if (!file) return `there is no ${first}.${name}${suggestion(name, [...files.keys()])}`
      return keys.length > 0 ? { file, keys } : `names no setting of ${first}.${name}`
    }
    default:
      return documents.nadi && { file: documents.nadi, keys: [first, ...rest] }
  }
}

/** The way to the setting must be there; the setting itself may be new (an optional one). */
function parentProblem({ document }: ConfFile, keys: Keys): string | undefined {
  let node: unknown = document.contents
  for (const [index, key] of keys.entries()) {
    const way = keys.slice(0, index).join('.')
    const last = index === keys.length - 1
    if (isMap(node)) {
      const known = node.items.map(item => String(item.key))
      if (!last && !known.includes(String(key)))
        return `there is no ${key}${way && ` in ${way}`}${suggestion(String(key), known)}`
    } else if (isSeq(node)) {
      if (!/^\d+$/.test(String(key)) || Number(key) >= node.items.length)
        return `${way} is a list of ${node.items.length}; name one by its number, from 0`
    } else return `${way} has no settings inside`
    const next = node.get(isSeq(node) ? Number(key) : key, true)
    node = isNode(next) ? next : undefined
  }
  return undefined
}
