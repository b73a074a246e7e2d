import { z } from 'zod'
import type { Problem } from '#pack'
import type { ConfFile, ConfFiles, Documents, Keys } from './documents.ts'
import { suggestion } from './suggestion.ts'
import * as schema from './schema.ts'
import { NAME, NAME_TEXT } from './values.ts'

/** Named things of one kind, with the place where each stands. */
export type Section<T> = {
  /**
   * All names that are there, rightly written or not: a link to a broken thing is no second mistake.
   * Undefined when the file itself is not readable, so that nobody can say what is not there.
   */
  readonly names: readonly string[] | undefined
  readonly entries: ReadonlyMap<string, T>
  where(name: string, ...keys: Keys): string
}

/** What conf/ says, each part by itself right; whether the parts fit together is for checks.ts. */
export type Tree = {
  readonly nadi: schema.NadiFile | undefined
  readonly whereNadi: (...keys: Keys) => string
  readonly partners: Section<schema.PartnerEntry>
  readonly billers: Section<schema.BillerEntry>
  readonly products: Section<schema.ProductEntry>
  readonly listeners: Section<schema.ListenerFile>
  /** Of the files in listeners/ those that say `kind: http`. */
  readonly apis: Section<schema.ApiListenerFile>
  /** Of the files in listeners/ those that say `kind: callbacks`. */
  readonly callbacks: Section<schema.CallbackListenerFile>
  /** Of the files in listeners/ those that say `kind: snap`. */
  readonly snaps: Section<schema.SnapListenerFile>
  /** Links that are dialed and held; their `names` are those of all links. */
  readonly links: Section<schema.LinkFile>
  /** Of the files in links/ those that say `url`. */
  readonly httpLinks: Section<schema.HttpLinkFile>
}

export function readTree(documents: Documents): { tree: Tree; problems: Problem[] } {
  const problems: Problem[] = []
  const { nadi } = documents
  const { listeners } = documents
  const [apis, callbacks, snaps, frames] = sorted(listeners, isApi, isForCallbacks, isForBanks)
  const [overHttp, dialed] = sorted(documents.links, isOverHttp)
  const tree: Tree = {
    nadi: nadi && parse(schema.nadiSchema, nadi, [], problems),
    whereNadi: (...keys) => nadi?.where(keys) ?? '',
    partners: fromMap(schema.partnerSchema, documents.partners, PARTNER_ID, problems),
    billers: fromMap(schema.billerSchema, documents.billers, PLAIN_NAME, problems),
    products: fromMap(schema.productSchema, documents.products, PLAIN_NAME, problems),
    listeners: fromFiles(schema.listenerSchema, frames, problems),
    apis: fromFiles(schema.apiListenerSchema, apis, problems),
    callbacks: fromFiles(schema.callbackListenerSchema, callbacks, problems),
    snaps: fromFiles(schema.snapListenerSchema, snaps, problems),
    links: {
      ...fromFiles(schema.linkSchema, dialed, problems),
      names: documents.links && [...documents.links.keys()],
    },
    httpLinks: fromFiles(schema.httpLinkSchema, overHttp, problems),
  }
  return { tree, problems }
}

type Kind = (content: Readonly<Record<string, unknown>>) => boolean

const isForCallbacks: Kind = ({ kind }) => kind === 'callbacks'
const isForBanks: Kind = ({ kind }) => kind === 'snap'
const isApi: Kind = content => 'kind' in content && !isForCallbacks(content) && !isForBanks(content)
const isOverHttp: Kind = content => 'url' in content

/** The files by kind, and at the end those of none, with what cannot be read. */
function sorted(
  files: ConfFiles | undefined,
  ...kinds: readonly Kind[]
): readonly (ConfFiles | undefined)[] {
  if (!files) return []
  const kindOf = (file: ConfFile | undefined): number => {
    const found = file ? kinds.findIndex(is => is(file.content as Record<string, unknown>)) : -1
    return found < 0 ? kinds.length : found
  }
  return [...kinds, undefined].map(
    (_, wanted) => new Map([...files].filter(([, file]) => kindOf(file) === wanted)),
  )
}

const PLAIN_NAME = { pattern: NAME, text: NAME_TEXT }
const PARTNER_ID = { pattern: /^\d{1,7}$/, text: 'a partner central id of 1 to 7 digits' }

function fromMap<S extends z.ZodType>(
  of: S,
  file: ConfFile | undefined,
  named: { pattern: RegExp; text: string },
  problems: Problem[],
): Section<z.output<S>> {
  const names = file && Object.keys(file.content as object)
  const entries = new Map<string, z.output<S>>()
  for (const name of names ?? []) {
    if (!file) break
    if (!named.pattern.test(name))
      problems.push({ path: file.where([name]), text: `"${name}" is not ${named.text}` })
    const entry = parse(of, file, [name], problems)
    if (entry !== undefined) entries.set(name, entry)
  }
  return { names, entries, where: (name, ...keys) => file?.where([name, ...keys]) ?? '' }
}

function fromFiles<S extends z.ZodType>(
  of: S,
  files: ConfFiles | undefined,
  problems: Problem[],
): Section<z.output<S>> {
  const entries = new Map<string, z.output<S>>()
  for (const [name, file] of files ?? []) {
    if (!file) continue
    if (!NAME.test(name))
      problems.push({ path: file.shown, text: `the file's name is not ${NAME_TEXT}` })
    const entry = parse(of, file, [], problems)
    if (entry !== undefined) entries.set(name, entry)
  }
  const where = (name: string, ...keys: Keys): string => files?.get(name)?.where(keys) ?? ''
  return { names: files && [...files.keys()], entries, where }
}

function parse<S extends z.ZodType>(
  of: S,
  file: ConfFile,
  keys: Keys,
  problems: Problem[],
): z.output<S> | undefined {
  let content = file.content
  for (const key of keys) content = (content as Record<string, unknown>)[key]
  const result = of.safeParse(content, { reportInput: true })
  if (result.success) return result.data
  problems.push(...result.error.issues.flatMap(issue => explain(issue, of, file, keys)))
  return undefined
}

/** One issue of zod in our own words, at the line where it stands. */
function explain(
  issue: z.core.$ZodIssue,
  of: z.ZodType,
  file: ConfFile,
  around: Keys,
): readonly Problem[] {
  const keys = [...around, ...issue.path.map(key => (typeof key === 'symbol' ? '' : key))]
  const path = file.where(keys)
  const subject = keys.length === 0 ? 'this file' : keyText(keys)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map(key => ({
        path: file.where([...keys, key]),
        text: `${keyText([...keys, key])} is no setting${suggestion(key, keysOf(of, issue.path))}`,
      }))
    case 'invalid_type': {
      if (issue.input === undefined && issue.message.startsWith('Invalid input: expected'))
        return [{ path, text: missing(subject, issue, of) }]
      if (issue.expected === 'object' || issue.expected === 'record')
        return [{ path, text: `${subject} must be settings, one \`name: value\` a line` }]
      if (issue.expected === 'array')
        return [{ path, text: `${subject} must be a list, like [a, b]` }]
      return [{ path, text: `${subject} ${issue.message}` }]
    }
    case 'too_small':
      return [{ path, text: `${subject} needs at least ${issue.minimum}` }]
    case 'too_big':
      return [{ path, text: `${subject} takes at most ${issue.maximum}` }]
    default:
      return [{ path, text: `${subject} ${issue.message}` }]
  }
}

function missing(subject: string, issue: z.core.$ZodIssue, of: z.ZodType): string {
  const keys = keysOf(of, [...issue.path, ''])
  const list = issue.code === 'invalid_type' && issue.expected === 'array'
  if (list) return `${subject} is missing; wanted is a list, like [a, b]`
  return `${subject} is missing; wanted are ${keys.length > 0 ? keys.join(', ') : 'settings'}`
}

/** `limits.openMax`, `links[0]` */
export function keyText(keys: Keys): string {
  return keys
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index > 0 ? '.' : ''}${key}`))
    .join('')
}

/** The settings that the schema knows at a path. */
function keysOf(of: z.ZodType, path: readonly PropertyKey[]): string[] {
  let at: z.ZodType | undefined = of
  for (const key of path) {
    at = inner(at)
    if (at instanceof z.ZodObject) at = (at.shape[String(key)] as z.ZodType | undefined) ?? at
    else if (at instanceof z.ZodArray) at = at.element as z.ZodType
    else if (at instanceof z.ZodRecord) at = at.valueType as z.ZodType
  }
  at = inner(at)
  return at instanceof z.ZodObject ? Object.keys(at.shape) : []
}

/** What stands inside of `.optional()`, `.default()` and `.prefault()`. */
function inner(of: z.ZodType | undefined): z.ZodType | undefined {
  let at = of
  while (at instanceof z.ZodOptional || at instanceof z.ZodDefault || at instanceof z.ZodPrefault)
    at = at.unwrap() as z.ZodType
  return at
}
