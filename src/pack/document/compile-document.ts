import type { Check } from '../check.ts'
import { compileCodes, type CodeTable } from '../codes.ts'
import { compileConversation, compileMatch, compileRecovery } from '../compile-sections.ts'
import type { CredentialSpec, HttpPack } from '../http-pack.ts'
import type { MapEntry, MapTree, TextTree } from '../source.ts'
import { compilePlans } from './compile-plans.ts'
import { compileShape, type ShapeScope } from './compile-shape.ts'
import { compileReading, rpcOptions, type Reading } from './compile-reading.ts'
import { compileSession, textsOf } from './compile-session.ts'
import { CONTENT_KINDS, makeContent, withXsi, type Content, type ContentKind } from './contents.ts'
import { compileCredentials } from './credentials.ts'
import { DocumentPack } from './document-pack.ts'
import { compileOutcome, OutcomeRules, type CompiledOutcome } from './outcome.ts'
import type { DocParts, PlainAnswer, SealedBy } from './parts.ts'
import { compileDocumentProducts } from './products.ts'
import { compileSealRules, type SealRules } from './seal-rules.ts'
import type { Shape } from './value.ts'
import { compileWrap } from './wrap.ts'
import { compileSecurity } from './wsse.ts'

export const DOCUMENT_SECTIONS = [
  'title',
  'extends',
  'transport',
  'content',
  'answers',
  'reading',
  'namespaces',
  'xml-rpc',
  'call',
  'headers',
  'credentials',
  'seal',
  'wrap',
  'security',
  'soap-header',
  'session',
  'callbacks',
  'conversation',
  'products',
  'groups',
  'recovery',
  'match',
  'layouts',
  'bodies',
  'messages',
  'rejects',
  'reject-codes',
  'outcome',
  'codes',
  'say',
] as const
type Section = (typeof DOCUMENT_SECTIONS)[number]

/** Whether a pack's own sections, or those that it extends, say so. */
export function isDocumentPack(root: MapTree): boolean {
  const transport = root.entries.get('transport')?.value
  return transport?.tag === 'text' && transport.text === 'http'
}

/** The pack called `name`; undefined when there are problems, which `check` then holds. */
export function compileDocumentPack(
  check: Check,
  name: string,
  root: MapTree,
): HttpPack | undefined {
  const sections = new Sections(check, root)
  const kind = sections.need('content', ({ value }) => check.oneOf(value, 'content', CONTENT_KINDS))
  const credentials = compileCredentials(check, root.entries.get('credentials'))
  const products = sections.need('products', entry => compileDocumentProducts(check, entry))
  const codes = sections.need('codes', entry => codeSections(check, sections, entry))
  const outcome = sections.need('outcome', entry => outcomeSection(check, entry, kind, root))
  const conversation = sections.need('conversation', entry => compileConversation(check, entry))
  const match = sections.need('match', entry => compileMatch(check, entry))
  const named = products?.names ?? []
  const recovery = sections.need('recovery', entry => compileRecovery(check, entry, named))
  if (!kind || !codes || !outcome || !conversation || !match || !recovery || !products) {
    return undefined
  }
  const scope = shapeScope(check, sections, credentials, compileReading(check, sections))
  const soapHeader = soapHeaderSection(check, sections, scope, kind)
  const contents = contentsOf(check, sections, scope, soapHeader)
  const plans = sections.need('messages', entry => {
    const messages = check.map(entry.value, 'messages')
    const planScope = {
      check,
      shapes: scope,
      products,
      content: kind,
      answers: sections.kind('answers'),
      contentOf: contents,
      call: sections.text('call'),
      headers: sections.map('headers'),
    }
    return messages && compilePlans(planScope, messages, root.entries.get('groups'))
  })
  const rules = new OutcomeRules(outcome, codes, rowsOf(root))
  const parts: DocParts = {
    name,
    conversation,
    recovery,
    products,
    credentials,
    plans: plans ?? [],
    codes,
    outcome: rules,
    seals: sealSections(check, sections, credentials),
    wrap: compileWrap(check, root.entries.get('wrap'), credentials),
    security: compileSecurity(check, root.entries.get('security'), credentials),
    soapHeader,
    session: compileSession(scope, sections.map('session'), contents, kind),
    callbackAnswers: callbackAnswers(check, sections),
    rejects: rejectSection(sections, scope, contents(sections.kind('answers') ?? kind)),
    rejectCodes: rejectCodes(check, sections, rowsOf(root)),
    match,
  }
  return check.problems.length > 0 ? undefined : new DocumentPack(parts)
}

/** The sections of a pack as what they must be. */
export class Sections {
  readonly #check: Check
  readonly #root: MapTree

  constructor(check: Check, root: MapTree) {
    this.#check = check
    this.#root = root
  }

  need<T>(name: Section, compile: (entry: MapEntry) => T): T | undefined {
    const entry = this.#check.need(this.#root, name)
    return entry && compile(entry)
  }

  map(name: Section): MapTree | undefined {
    const entry = this.#root.entries.get(name)
    return entry && this.#check.map(entry.value, name)
  }

  kind(name: 'answers'): ContentKind | undefined {
    const entry = this.#root.entries.get(name)
    return entry && this.#check.oneOf(entry.value, name, CONTENT_KINDS)
  }

  text(name: Section): TextTree | undefined {
    const entry = this.#root.entries.get(name)
    return entry && this.#check.text(entry.value, name)
  }
}

function codeSections(
  check: Check,
  sections: Sections,
  { value }: MapEntry,
): CodeTable | undefined {
  const map = check.map(value, 'codes')
  return map && compileCodes(check, map, sections.map('say'))
}

function rowsOf(root: MapTree): ReadonlySet<string> {
  const codes = root.entries.get('codes')?.value
  return new Set(codes?.tag === 'map' ? codes.entries.keys() : [])
}

/** Faults of SOAP come with 500, so there its body is believed unless the pack says otherwise. */
function outcomeSection(
  check: Check,
  { value }: MapEntry,
  kind: ContentKind | undefined,
  root: MapTree,
): CompiledOutcome | undefined {
  const map = check.map(value, 'outcome')
  const compiled = map && compileOutcome(check, map)
  if (!compiled) return undefined
  const rows = rowsOf(root)
  for (const { code } of compiled.told) {
    if (!rows.has(code)) check.wrong(map.at, `"${code}" of told-as is not in the table of codes`)
  }
  const soap = kind?.startsWith('soap') === true && !map.entries.has('believe')
  return soap ? { ...compiled, believed: [...compiled.believed, '500'] } : compiled
}

function shapeScope(
  check: Check,
  sections: Sections,
  credentials: ReadonlyMap<string, CredentialSpec>,
  { unknown, namespaces, prefixes }: Reading,
): ShapeScope {
  return {
    check,
    credentials,
    layouts: sections.map('layouts'),
    prefix: '',
    bodies: sections.map('bodies'),
    unknown,
    namespaces,
    prefixes,
  }
}

/** `soap-header:`, elements that stand in the header of every request. */
function soapHeaderSection(
  check: Check,
  sections: Sections,
  scope: ShapeScope,
  kind: ContentKind,
): Shape | undefined {
  const map = sections.map('soap-header')
  if (!map) return undefined
  if (!kind.startsWith('soap')) check.wrong(map.at, '"soap-header" is for content of SOAP')
  return compileShape(scope, map)
}

/** One of each kind for the whole pack, so that a body is parsed once whatever it may be. */
function contentsOf(
  check: Check,
  sections: Sections,
  { bodies, namespaces }: ShapeScope,
  soapHeader: Shape | undefined,
): (kind: ContentKind) => Content {
  const reading = compileReading(check, sections)
  const options = {
    ...reading,
    namespaces: withXsi(namespaces, usesXsi(bodies) || usesXsi(sections.map('messages'))),
    rpc: rpcOptions(check, sections),
    security: sections.text('security') !== undefined,
    soapHeader,
  }
  const made = new Map<ContentKind, Content>()
  return kind => {
    const content = made.get(kind) ?? makeContent(kind, options)
    made.set(kind, content)
    return content
  }
}

function usesXsi(map: MapTree | undefined): boolean {
  return [...(map?.entries ?? [])].some(
    ([key, { value }]) => key.startsWith('@xsi:') || (value.tag === 'map' && usesXsi(value)),
  )
}

const SEALED: readonly SealedBy[] = ['request', 'answer', 'callback', 'session']

function sealSections(
  check: Check,
  sections: Sections,
  credentials: ReadonlyMap<string, CredentialSpec>,
): Readonly<Record<SealedBy, SealRules>> {
  const map = sections.map('seal')
  if (map) check.only(map, SEALED)
  const rules = (by: SealedBy) => {
    const entry = map?.entries.get(by)
    return compileSealRules(check, entry && check.map(entry.value, by), credentials)
  }
  return {
    request: rules('request'),
    answer: rules('answer'),
    callback: rules('callback'),
    session: rules('session'),
  }
}

/** `callbacks: { taken: 200 ok, refused: 403 refused }`: a status and a text. */
function callbackAnswers(check: Check, sections: Sections): DocParts['callbackAnswers'] {
  const map = sections.map('callbacks')
  if (map) check.only(map, ['taken', 'refused'])
  const answer = (key: string, fallback: string): PlainAnswer => {
    const entry = map?.entries.get(key)
    const line = entry && check.text(entry.value, key)
    const match = /^([2-5]\d\d)(?: ([^]*))?$/.exec(line?.text ?? fallback)
    if (line && !match) check.wrong(line.at, `"${line.text}" must read "200 ok"`)
    const body = match?.[2] ?? ''
    const type = body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8'
    return { status: Number(match?.[1] ?? 200), type, body }
  }
  return { taken: answer('taken', '200 ok'), refused: answer('refused', '403 refused') }
}

function rejectSection(
  sections: Sections,
  scope: ShapeScope,
  content: Content,
): DocParts['rejects'] {
  const map = sections.map('rejects')
  const shape = map && compileShape(scope, map)
  return shape && { shape, content }
}

/** `reject-codes: { PACK_MISSING_FIELD: '40002' }`: a code of its own for what is wrong with a request. */
function rejectCodes(
  check: Check,
  sections: Sections,
  rows: ReadonlySet<string>,
): ReadonlyMap<string, string> {
  const map = sections.map('reject-codes')
  const codes = textsOf(check, map)
  for (const [error, code] of codes) {
    const at = map?.entries.get(error)?.at ?? ''
    if (!rows.has(code)) check.wrong(at, `"${code}" is not in the table of codes`)
    if (!/^[A-Z]+(_[A-Z]+)+$/.test(error)) check.wrong(at, `"${error}" is no code of an error`)
  }
  return codes
}
