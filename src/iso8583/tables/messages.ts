import type { OverlaySpec } from '../codec/spec.ts'
import { readElements } from './composite.ts'
import { PATH, readConditions } from './conditions.ts'
import type { Defaults } from './line.ts'
import { checkKeys, mapAt, textAt, wordsOf } from './sections.ts'
import type { MapTree, Report } from './tree.ts'

const MTI_PATTERN = /^[0-9.]{4}$/
const RANGE = /^(\d{1,3})-(\d{1,3})$/

/** What holds for some messages: the key is their MTIs, unless `mti` says them. */
export function readMessages(map: MapTree, defaults: Defaults, report: Report): OverlaySpec[] {
  const overlays: OverlaySpec[] = []
  for (const [key, { at, value }] of map.entries) {
    if (value.tag !== 'map') report(at, `"${key.slice(0, 40)}" is followed by indented entries`)
    else overlays.push(readMessage(key, at, value, defaults, report))
  }
  return overlays
}

function readMessage(
  key: string,
  at: string,
  tree: MapTree,
  defaults: Defaults,
  report: Report,
): OverlaySpec {
  checkKeys(tree, 'message', report)
  const said = textAt(tree, 'mti', report)
  const mti = wordsOf(said ?? key)
  for (const pattern of mti) {
    if (MTI_PATTERN.test(pattern)) continue
    const hint = said === undefined ? ', or say "mti:" below it' : ''
    report(at, `"${pattern.slice(0, 40)}" is not an MTI; write 0200 or 02.0${hint}`)
  }
  const paths = (name: string) => readPaths(tree, name, report)
  const conditional = tree.entries.get('conditional')
  const stated = conditional?.value.tag === 'map' ? conditional.value : undefined
  const conditions = stated ? readConditions(stated, report) : []
  const processing = codes(tree, 'processing', /^\d{1,6}$/, report)
  const response = codes(tree, 'response', /^[0-9A-Za-z]{2,4}$/, report)
  const fields = mapAt(tree, 'fields', report)
  return {
    when: {
      mti,
      ...(processing ? { processing } : {}),
      ...(response ? { response } : {}),
    },
    mandatory: paths('mandatory'),
    conditional: stated ? [] : paths('conditional'),
    forbidden: paths('forbidden'),
    ...(conditions.length > 0 ? { conditions } : {}),
    echoed: paths('echoed'),
    allowed: readAllowed(tree, report),
    fields: fields ? readElements(fields, defaults, report) : [],
  }
}

function codes(tree: MapTree, key: string, pattern: RegExp, report: Report): string[] | undefined {
  const text = textAt(tree, key, report)
  if (text === undefined) return undefined
  const words = wordsOf(text)
  const wrong = words.find(word => !pattern.test(word))
  if (wrong !== undefined) {
    report(tree.entries.get(key)?.at ?? tree.at, `"${wrong.slice(0, 40)}" is not a code`)
  }
  return words
}

function readPaths(tree: MapTree, key: string, report: Report): string[] {
  const at = tree.entries.get(key)?.at ?? tree.at
  return wordsOf(textAt(tree, key, report)).flatMap(word => {
    const range = RANGE.exec(word)
    if (range)
      return numbersFrom(Number(range[1]), Number(range[2]), () =>
        report(at, `"${word}" runs backward`),
      )
    if (PATH.test(word)) return [word]
    report(at, `"${word.slice(0, 40)}" is not an element; write 4, 55.9F02 or 2-4`)
    return []
  })
}

function numbersFrom(from: number, to: number, backward: () => void): string[] {
  if (to < from) backward()
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => String(from + index))
}

function readAllowed(tree: MapTree, report: Report): OverlaySpec['allowed'] {
  const map = mapAt(tree, 'allowed', report)
  return [...(map?.entries ?? [])].flatMap(([path, { at, value }]) => {
    if (!PATH.test(path)) report(at, `"${path.slice(0, 40)}" is not an element`)
    if (value.tag === 'text') return [{ path, values: wordsOf(value.text) }]
    if (value.tag === 'list') {
      const values = value.items.flatMap(item => (item.tag === 'text' ? [item.text] : []))
      return [{ path, values }]
    }
    report(at, `"${path}" is followed by the values it may have`)
    return []
  })
}

/** `2-4 7 55.9F02`: runs of three and more become ranges. */
export function writePaths(paths: readonly string[]): string {
  const words: string[] = []
  for (let at = 0; at < paths.length;) {
    let end = at
    while (Number(paths[end + 1]) === Number(paths[end]) + 1 && isNumber(paths[end + 1])) end++
    if (end - at < 2 || !isNumber(paths[at])) end = at
    words.push(end === at ? (paths[at] ?? '') : `${paths[at]}-${paths[end]}`)
    at = end + 1
  }
  return words.join(' ')
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^[1-9]\d*$/.test(text)
}
