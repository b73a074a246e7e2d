import { isNadiError } from '#base'
import { compileSpec, compileTable, type TableText } from '#iso8583'
import type { MessageKind } from '#message'
import { Check } from './check.ts'
import { compileCodes } from './codes.ts'
import { compilePackFraming } from './compile-framing.ts'
import { compileKinds } from './compile-kinds.ts'
import type { LayoutSources } from './compile-layouts.ts'
import { compileMessages, type Deciders, type Parts } from './compile-messages.ts'
import { compileReference } from './compile-reference.ts'
import {
  checkRecovery,
  compileConversation,
  compileMatch,
  compileProducts,
  compileRecovery,
} from './compile-sections.ts'
import { type Dialect, makeDialect } from './dialect.ts'
import { compileDocumentPack, DOCUMENT_SECTIONS, isDocumentPack } from './document/index.ts'
import type { Now } from './format-times.ts'
import type { HttpPack } from './http-pack.ts'
import { IsoPack } from './iso-pack.ts'
import { makeKeys } from './keys.ts'
import type { Pack } from './pack.ts'
import { piecesOf, type Plan, type Variant } from './plan.ts'
import { mergeTrees, parseTree, type ListTree, type MapTree, type Problem } from './source.ts'

/** The texts of a pack's files by name: `pack.yaml`, `fields.yaml`. Others are not looked at. */
export type PackFiles = Readonly<Record<string, string>>

export type PackResult =
  | { readonly pack: Pack }
  | { readonly httpPack: HttpPack }
  | { readonly problems: readonly Problem[] }

const SECTIONS = [
  'title',
  'extends',
  'fields',
  'framing',
  'conversation',
  'products',
  'recovery',
  'kinds',
  'match',
  'reference',
  'layouts',
  'sets',
  'messages',
  'codes',
  'say',
] as const

const EXTENDS_MAX = 8

/**
 * Makes the pack called `name` from the texts of all packs (it may extend others) and the field
 * tables of the standards, or tells everything that is wrong with it, each with `pack/file:line`.
 * Dialects that leave out the year of a time (ISO 8583:1987) need `nowMs` to read it.
 */
export function compilePack(
  name: string,
  packs: ReadonlyMap<string, PackFiles>,
  tables: readonly TableText[] = [],
  nowMs?: Now,
): PackResult {
  const problems: Problem[] = []
  const check = new Check(problems)
  const read = readRoot(check, name, packs, [])
  // A text that is no tree of ours says nothing more; all else that is wrong is told together.
  const root = problems.length === 0 ? read : undefined
  if (root && isDocumentPack(root)) {
    check.only(root, DOCUMENT_SECTIONS)
    const httpPack = compileDocumentPack(check, name, root)
    if (httpPack) recoveryCanBeSaid(check, root, httpPack)
    return httpPack && problems.length === 0 ? { httpPack } : { problems }
  }
  if (root) check.only(root, SECTIONS)
  const dialect = root && dialectOf(check, root, packs, tables)
  const pack = root && assemble(check, name, root, dialect, nowMs)
  if (pack) recoveryCanBeSaid(check, root, pack)
  if (pack && problems.length === 0) return { pack }
  return { problems }
}

function recoveryCanBeSaid(check: Check, root: MapTree, pack: Pack | HttpPack): void {
  const entry = root.entries.get('recovery')
  const carries = (kind: MessageKind, product: string) => pack.carries(kind, product)
  if (entry) checkRecovery(check, entry, pack.recovery, carries)
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
  const own = readFile(check, `${name}/pack.yaml`, files)
  if (!own) return undefined
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

/** A folder with a table of its own speaks by that, unless it names another one. */
function readFile(check: Check, path: string, files: PackFiles): MapTree | undefined {
  const tree = parseTree(path, files['pack.yaml'] ?? '', check.problems)
  const map = tree && check.map(tree, 'a pack')
  if (!map || files['fields.yaml'] === undefined || map.entries.has('fields')) return map
  const name = path.slice(0, path.indexOf('/'))
  const at = `${name}/fields.yaml:1`
  const fields = { at, value: { tag: 'text', at, text: name } as const }
  return { ...map, entries: new Map([...map.entries, ['fields', fields]]) }
}

/**
 * `fields:` names the field table: one of the standards', or that of a pack's folder
 * (fields.yaml), which may extend any of them.
 */
function dialectOf(
  check: Check,
  root: MapTree,
  packs: ReadonlyMap<string, PackFiles>,
  tables: readonly TableText[],
): Dialect | undefined {
  const entry = check.need(root, 'fields')
  const name = entry && check.text(entry.value, 'fields')
  if (!name) return undefined
  const own: TableText[] = []
  for (const [pack, files] of packs) {
    const text = files['fields.yaml']
    if (text !== undefined) own.push({ path: `${pack}/fields.yaml`, text })
  }
  const all = [...own, ...tables]
  const main = all.find(
    ({ path }) => path === `${name.text}/fields.yaml` || nameOf(path) === name.text,
  )
  if (!main) {
    const names = [...own.map(({ path }) => path.split('/')[0]), ...tables.map(t => nameOf(t.path))]
    return check.wrong(
      name.at,
      `no field table is called "${name.text}"; there are ${names.join(', ')}`,
    )
  }
  const { spec, problems } = compileTable([main, ...all.filter(one => one !== main)])
  for (const { path, text } of problems ?? []) check.wrong(path, text)
  if (!spec) return undefined
  try {
    // Which types there are the pack says itself.
    return makeDialect(spec, compileSpec(spec, { lenient: ['reserved-mti'] }))
  } catch (error) {
    if (!isNadiError(error)) throw error
    return check.wrong(name.at, error.message)
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.yaml$/, '')
}

function assemble(
  check: Check,
  name: string,
  root: MapTree,
  dialect: Dialect | undefined,
  nowMs: Now | undefined,
): Pack | undefined {
  const section = <T>(key: (typeof SECTIONS)[number], compile: (entry: MapTreeEntry) => T) => {
    const entry = check.need(root, key)
    return entry && compile(entry)
  }
  const codec = dialect?.codec
  const framing = section('framing', entry => compilePackFraming(check, entry, codec))
  const conversation = section('conversation', entry => compileConversation(check, entry))
  const products = section('products', entry => compileProducts(check, entry))
  const names = products?.names ?? []
  const recovery = section('recovery', entry => compileRecovery(check, entry, names))
  const kinds = section('kinds', entry => compileKinds(check, entry, codec)) ?? new Map()
  const match = section('match', entry => compileMatch(check, entry))
  const layouts = section('layouts', entry => layoutSources(check, entry))
  const codes = section('codes', entry => compileCodeSections(check, root, entry))
  const messages = section('messages', entry => check.map(entry.value, 'messages'))
  const sets = setSources(check, root)
  if (!dialect || !products || !layouts || !codes || !messages || !match) return undefined
  const parts: Parts = { check, dialect, layouts, codes, products, kinds, sets, nowMs }
  const { plans, deciders } = compileMessages(parts, messages)
  const known = root.entries.get('reference')
  const makeReference = known && compileReference(check, known, layouts, nowMs)
  if (!framing || !conversation || !recovery || check.problems.length > 0) return undefined
  checkDeciders(check, messages, plans, deciders)
  if (check.problems.length > 0) return undefined
  const matchKey = makeKeys(match, plans)
  const traceDigits = traceDigitsOf(plans)
  const made = { name, framing, conversation, recovery, products, dialect, codes, plans, kinds }
  return new IsoPack({ ...made, deciders, matchKey, traceDigits, makeReference })
}

/** Frames can be told apart only where something says what they are. */
function checkDeciders(
  check: Check,
  { at }: MapTree,
  plans: readonly Plan[],
  { product, outcome }: Deciders,
): void {
  if (!outcome || outcome.path.includes('.')) check.wrong(at, 'no element says the outcome')
  const said = (variant: Variant) =>
    piecesOf(variant.elements).some(({ path }) => path === 'product')
  for (const plan of plans) {
    if (plan.product === undefined) continue
    const silent = [plan.request, plan.approved, plan.declined].some(variant => !said(variant))
    if (silent || !product) check.wrong(at, `a ${plan.kind} of ${plan.product} lacks its product`)
  }
}

const TRACE_DIGITS = 12

/** Digits of the audit numbers of payments; those of a dialect that has none do not matter. */
function traceDigitsOf(plans: readonly Plan[]): number {
  const requests = plans.filter(({ kind }) => kind === 'payment').map(({ request }) => request)
  const traces = requests.flatMap(({ elements }) =>
    piecesOf(elements).filter(({ path }) => path === 'trace'),
  )
  const widths = traces.map(({ normalise }) => normalise?.('').length || TRACE_DIGITS)
  return Math.min(TRACE_DIGITS, ...widths)
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
