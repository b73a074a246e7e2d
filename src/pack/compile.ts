import { compileFraming } from '#iso8583'
import { Check } from './check.ts'
import { compileCodes } from './codes.ts'
import type { LayoutSources } from './compile-layouts.ts'
import { compileMessages, type Parts } from './compile-messages.ts'
import {
  compileConversation,
  compileFields,
  compileFramingSpec,
  compileKinds,
  compileMatch,
  compileProducts,
  compileRecovery,
} from './compile-sections.ts'
import { IsoPack } from './iso-pack.ts'
import { makeKeys } from './keys.ts'
import type { Pack } from './pack.ts'
import { mergeTrees, parseTree, type ListTree, type MapTree, type Problem } from './source.ts'

/** The texts of a pack's files by name: `pack.yaml`, `fields.yaml`. Others are not looked at. */
export type PackFiles = Readonly<Record<string, string>>

export type PackResult = { readonly pack: Pack } | { readonly problems: readonly Problem[] }

const SECTIONS = [
  'title',
  'extends',
  'bitmap',
  'fields',
  'framing',
  'conversation',
  'products',
  'recovery',
  'kinds',
  'match',
  'layouts',
  'sets',
  'messages',
  'codes',
  'say',
] as const

const EXTENDS_MAX = 8

/**
 * Makes the pack called `name` from the texts of all packs (it may extend others), or tells
 * everything that is wrong with it, each with `pack/file:line`.
 */
export function compilePack(name: string, packs: ReadonlyMap<string, PackFiles>): PackResult {
  const problems: Problem[] = []
  const check = new Check(problems)
  const root = readRoot(check, name, packs, [])
  const pack = root && problems.length === 0 ? assemble(check, name, root) : undefined
  if (pack && problems.length === 0) return { pack }
  return { problems }
}

/** The pack's own sections, laid over those of the pack that it extends. */
function readRoot(
  check: Check,
  name: string,
  packs: ReadonlyMap<string, PackFiles>,
  below: readonly string[],
): MapTree | undefined {
  const files = packs.get(name) ?? {}
  if (files['pack.yaml'] === undefined) {
    return check.wrong(`${name}/pack.yaml:1`, 'there is no pack.yaml')
  }
  let own = readFile(check, `${name}/pack.yaml`, files['pack.yaml'])
  if (files['fields.yaml'] !== undefined) {
    const table = readFile(check, `${name}/fields.yaml`, files['fields.yaml'])
    own = own && (mergeTrees(table, own) as MapTree)
  }
  if (!own) return undefined
  check.only(own, SECTIONS)
  const extended = own.entries.get('extends')
  const base = extended && check.text(extended.value, 'extends')
  if (!base) return own
  if (!packs.has(base.text)) {
    const names = [...packs.keys()].filter(one => one !== name).join(', ')
    return check.wrong(base.at, `no pack is called "${base.text}"; there are ${names || 'none'}`)
  }
  if (base.text === name || below.includes(base.text) || below.length > EXTENDS_MAX) {
    return check.wrong(base.at, `"${base.text}" extends itself`)
  }
  const under = readRoot(check, base.text, packs, [...below, name])
  return under && (mergeTrees(under, own) as MapTree)
}

function readFile(check: Check, path: string, text: string): MapTree | undefined {
  const tree = parseTree(path, text, check.problems)
  return tree && check.map(tree, 'a pack')
}

function assemble(check: Check, name: string, root: MapTree): Pack | undefined {
  const table = compileFields(check, root)
  const section = <T>(key: (typeof SECTIONS)[number], compile: (entry: MapTreeEntry) => T) => {
    const entry = check.need(root, key)
    return entry && compile(entry)
  }
  const framing = section('framing', entry => compileFramingSpec(check, entry))
  const conversation = section('conversation', entry => compileConversation(check, entry))
  const products = section('products', entry => compileProducts(check, entry)) ?? new Map()
  const names = [...products.values()]
  const recovery = section('recovery', entry => compileRecovery(check, entry, names))
  const kinds = section('kinds', entry => compileKinds(check, entry)) ?? new Map()
  const match = section('match', entry => compileMatch(check, entry))
  const layouts = section('layouts', entry => layoutSources(check, entry))
  const codes = section('codes', entry => compileCodeSections(check, root, entry))
  const messages = section('messages', entry => check.map(entry.value, 'messages'))
  const sets = setSources(check, root)
  if (!layouts || !codes || !messages || !match) return undefined
  const parts: Parts = { check, table, layouts, codes, products, kinds, sets }
  const { plans, deciders } = compileMessages(parts, messages)
  if (!framing || !conversation || !recovery || check.problems.length > 0) return undefined
  return new IsoPack({
    name,
    framing: compileFraming(framing),
    frameBytesMax: framing.frameBytesMax,
    conversation,
    recovery,
    products,
    table,
    codes,
    plans,
    kinds,
    deciders,
    matchKey: makeKeys(match, plans),
  })
}

type MapTreeEntry = NonNullable<ReturnType<MapTree['entries']['get']>>

function compileCodeSections(check: Check, root: MapTree, entry: MapTreeEntry) {
  const codes = check.map(entry.value, 'codes')
  const say = root.entries.get('say')
  return codes && compileCodes(check, codes, say && check.map(say.value, 'say'))
}

function layoutSources(check: Check, { value }: MapTreeEntry): LayoutSources | undefined {
  const map = check.map(value, 'layouts')
  if (!map) return undefined
  const layouts = new Map<string, ListTree>()
  for (const [name, entry] of map.entries) {
    const list = check.list(entry.value, name)
    if (list) layouts.set(name, list)
  }
  return layouts
}

function setSources(check: Check, root: MapTree): ReadonlyMap<string, MapTree> {
  const sets = new Map<string, MapTree>()
  const section = root.entries.get('sets')
  const map = section && check.map(section.value, 'sets')
  for (const [name, entry] of map?.entries ?? []) {
    const set = check.map(entry.value, name)
    if (set) sets.set(name, set)
  }
  return sets
}
