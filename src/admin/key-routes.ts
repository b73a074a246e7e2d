import type { FastifyInstance, FastifyRequest } from 'fastify'
import { NadiError, toHex } from '#base'
import type { KeyTypeName } from '#hsm'
import type { Checked, Component, Entered, Exported, HalfMadeKey, KeyRecord, KeyStore } from '#keys'
import { performAct } from './acts.ts'
import type {
  CheckedKeyView,
  ComponentView,
  ExchangedKeyView,
  HalfMadeKeyView,
  HandedKeyView,
  KeyStoryView,
  MigrationView,
  RotatedKeyView,
  ZoneKeyView,
} from './api.ts'
import { checked } from './input.ts'
import * as input from './key-input.ts'
import type { AdminParts } from './parts.ts'

/** No component is longer than the longest key. */
const COMPONENT_BYTES_MAX = 64
/** For keys that no link or listener has. */
const LAB = 'lab'

/** Keys that we share with others. What is told of a key is never the key, nor its block. */
export function keyRoutes(app: FastifyInstance, parts: AdminParts): void {
  // Read as bytes, which can be wiped, and a string cannot.
  app.addContentTypeParser(
    'application/octet-stream',
    { parseAs: 'buffer', bodyLimit: COMPONENT_BYTES_MAX },
    (_request, body, done) => done(null, body),
  )
  app.get('/v1/keys', async ({ query }) => ({ keys: await list(parts, query) }))
  app.get('/v1/keys/:id', request => show(parts, request))
  app.post('/v1/keys', request => generate(parts, request))
  app.post('/v1/keys/import', request => importKey(parts, request))
  app.post('/v1/keys/rotate', request => rotate(parts, request))
  app.post('/v1/keys/check', request => check(parts, request))
  app.post('/v1/keys/migrate', request => migrate(parts, request))
  app.post('/v1/keys/:id/export', request => exportKey(parts, request))
  app.post('/v1/keys/:id/activate', request => step(parts, request, 'activate'))
  app.post('/v1/keys/:id/revoke', request => step(parts, request, 'revoke'))
  app.get('/v1/key-components', async () => ({
    halves: storeOf(parts).components.halves.map(halfView),
  }))
  app.post('/v1/key-components', request => begin(parts, request))
  app.post('/v1/key-components/:id', request => enter(parts, request))
  app.post('/v1/key-components/:id/cancel', request => cancel(parts, request))
}

async function list(parts: AdminParts, query: unknown): Promise<ZoneKeyView[]> {
  const { zone, type, state, all } = checked(input.KEYS_QUERY, query)
  const filter = { ...(zone && { zone }), ...(type && { type }), ...(state && { state }) }
  const keys = await storeOf(parts).list(filter, all === '1')
  return keys.map(key => keyView(parts, key))
}

async function show(parts: AdminParts, { params }: FastifyRequest): Promise<KeyStoryView> {
  const { id } = checked(input.KEY_ID, params)
  const { key, acts } = await storeOf(parts).show(id)
  return { ...keyView(parts, key), acts }
}

function generate(parts: AdminParts, request: FastifyRequest): Promise<ZoneKeyView> {
  const { by, reason, activate, ...wanted } = checked(input.GENERATE_BODY, request.body)
  const { zone, type, kind } = zoneIn(parts, wanted)
  const act = {
    act: 'key.generate',
    subject: zone,
    by,
    reason,
    detail: { type },
    ...using(activate),
  }
  return performAct(parts, request, act, async who => {
    const of = { zone, type, ...(kind && { kind }), ...(activate && { activate }) }
    return keyView(parts, await storeOf(parts).generate(of, who))
  })
}

function importKey(parts: AdminParts, request: FastifyRequest): Promise<ZoneKeyView> {
  const { by, reason, ...given } = checked(input.IMPORT_BODY, request.body)
  const { zone, type, kind, wrapped, under, checkValue, activate } = zoneIn(parts, given)
  const detail = { type, ...(under && { under }) }
  const act = { act: 'key.import', subject: zone, by, reason, detail, ...using(activate) }
  return performAct(parts, request, act, async who => {
    const of = {
      zone,
      type,
      wrapped,
      ...(kind && { kind }),
      ...(under && { under }),
      ...(checkValue && { checkValue }),
      ...(activate && { activate }),
    }
    return keyView(parts, await storeOf(parts).importKey(of, who))
  })
}

/** Over the line where keys of this type are agreed there, else handed to whoever asks. */
function rotate(parts: AdminParts, request: FastifyRequest): Promise<RotatedKeyView> {
  const { by, reason, under, scheme, byHand, ...wanted } = checked(input.ROTATE_BODY, request.body)
  const { zone, type, kind } = zoneIn(parts, wanted)
  const exchange = byHand ? undefined : parts.exchangeOf?.(zone)
  const over = exchange?.agrees(type) ? exchange : undefined
  if (over && (kind ?? under ?? scheme) !== undefined)
    throw new NadiError('ADMIN_BAD_REQUEST', {
      path: kind ? 'kind' : under ? 'under' : 'scheme',
      hint: 'this key is agreed over the line, in its own way; byHand to hand one over yourself',
    })
  const how = { scheme: scheme ?? 'R', ...(under && { under }) } as const
  const detail = { type, ...(over ? { over: 'the line' } : { scheme: how.scheme }) }
  const also = over ? [] : ['key.export']
  const act = { act: 'key.rotate', subject: zone, by, reason, detail, also }
  return performAct(parts, request, act, async who => {
    if (over) return exchanged(parts, zone, type, await over.rotate(type, who))
    const of = { zone, type, ...(kind && { kind }) }
    return handedView(parts, await storeOf(parts).rotate(of, how, who))
  })
}

async function exchanged(
  parts: AdminParts,
  zone: string,
  type: KeyTypeName,
  exchange: 'asked' | 'given',
): Promise<ExchangedKeyView> {
  const [key] = await storeOf(parts).list({ zone, type, state: 'active' }, false)
  if (!key) throw new NadiError('KEY_NOT_FOUND', { path: zone, expected: `an active ${type}` })
  return { key: keyView(parts, key), exchange, checkValue: key.checkValue }
}

function exportKey(parts: AdminParts, request: FastifyRequest): Promise<HandedKeyView> {
  const { id } = checked(input.KEY_ID, request.params)
  const { by, reason, under, scheme } = checked(input.EXPORT_BODY, request.body)
  const act = { act: 'key.export', subject: id, by, reason, detail: { scheme } }
  return performAct(parts, request, act, async who => {
    const how = { scheme, ...(under && { under }) }
    return handedView(parts, await storeOf(parts).exportKey(id, how, who))
  })
}

function step(
  parts: AdminParts,
  request: FastifyRequest,
  what: 'activate' | 'revoke',
): Promise<ZoneKeyView> {
  const { id } = checked(input.KEY_ID, request.params)
  const { by, reason } = checked(input.KEY_ACT_BODY, request.body)
  const act = { act: `key.${what}`, subject: id, by, reason }
  return performAct(parts, request, act, async who =>
    keyView(parts, await storeOf(parts)[what](id, who)),
  )
}

function check(parts: AdminParts, request: FastifyRequest): Promise<{ keys: CheckedKeyView[] }> {
  const { by, reason } = checked(input.KEY_ACT_BODY, request.body)
  const act = { act: 'key.check', subject: 'all', by, reason }
  return performAct(parts, request, act, async who => {
    const rows = await storeOf(parts).care.check(who)
    return { keys: rows.map(row => checkedView(parts, row)) }
  })
}

function migrate(parts: AdminParts, request: FastifyRequest): Promise<MigrationView> {
  const { by, reason } = checked(input.KEY_ACT_BODY, request.body)
  const act = { act: 'key.migrate', subject: 'all', by, reason }
  return performAct(parts, request, act, who => storeOf(parts).care.migrate(who))
}

function begin(parts: AdminParts, request: FastifyRequest): Promise<ComponentView> {
  const { by, reason, checkValue, draw, ...wanted } = checked(input.BEGIN_QUERY, request.query)
  const { zone, type, kind, parts: count } = zoneIn(parts, wanted)
  const component = componentIn(request, draw === '1', checkValue)
  const act = { act: 'key.component', subject: zone, by, reason, detail: { type, nth: 1 } }
  return performAct(parts, request, act, async who => {
    const of = { zone, type, parts: count, ...(kind && { kind }) }
    const { components } = storeOf(parts)
    return componentView(parts, await components.begin(of, component, who))
  })
}

function enter(parts: AdminParts, request: FastifyRequest): Promise<ComponentView> {
  const { id } = checked(input.KEY_ID, request.params)
  const { by, reason, checkValue, draw } = checked(input.ENTER_QUERY, request.query)
  const component = componentIn(request, draw === '1', checkValue)
  const act = { act: 'key.component', subject: id, by, reason }
  return performAct(parts, request, act, async who => {
    const { components } = storeOf(parts)
    return componentView(parts, await components.enter(id, component, who))
  })
}

function cancel(parts: AdminParts, request: FastifyRequest): Promise<{ cancelled: string }> {
  const { id } = checked(input.KEY_ID, request.params)
  const { by, reason } = checked(input.KEY_ACT_BODY, request.body)
  const act = { act: 'key.cancel', subject: id, by, reason }
  return performAct(parts, request, act, async who => {
    await storeOf(parts).components.cancel(id, who)
    return { cancelled: id }
  })
}

/** A key that is put to use at once is activated as well. */
function using(activate = false): { readonly also?: readonly string[] } {
  return activate ? { also: ['key.activate'] } : {}
}

function componentIn(
  { body }: FastifyRequest,
  draw: boolean,
  checkValue: string | undefined,
): Component {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  if (draw !== (bytes.length === 0))
    throw new NadiError('ADMIN_BAD_REQUEST', {
      path: 'body',
      expected: 'a component as application/octet-stream, or draw=1',
    })
  return { clear: draw ? 'generate' : bytes, ...(checkValue !== undefined && { checkValue }) }
}

function storeOf({ keys }: AdminParts): KeyStore {
  if (keys) return keys
  throw new NadiError('HSM_NOT_PERMITTED', { hint: 'conf/nadi.yaml has no hsm: section' })
}

/** A key for a zone that nobody is would never be used, and nobody would notice. */
function zoneIn<T extends { readonly zone: string }>({ zones }: AdminParts, wanted: T): T {
  if (wanted.zone === LAB || !zones || zones.has(wanted.zone)) return wanted
  throw new NadiError('ADMIN_BAD_REQUEST', {
    path: 'zone',
    expected: `a link or listener: ${[...zones, LAB].join(', ')}`,
  })
}

function keyView({ keys }: AdminParts, key: KeyRecord): ZoneKeyView {
  const { id, zone, type, kind, lmk, checkValue, state, origin, by, why } = key
  const { madeAtMs, activeAtMs, previousAtMs, acceptedUntilMs, revokedAtMs } = key
  return {
    id,
    zone,
    type,
    kind,
    lmk,
    checkValue,
    state,
    origin,
    by,
    why,
    madeAtMs,
    ...(activeAtMs !== undefined && { activeAtMs }),
    ...(previousAtMs !== undefined && { previousAtMs }),
    ...(acceptedUntilMs !== undefined && { acceptedUntilMs }),
    ...(revokedAtMs !== undefined && { revokedAtMs }),
    pastDue: keys?.care.isPastDue(key) ?? false,
  }
}

function handedView(parts: AdminParts, { key, ...handed }: Exported): HandedKeyView {
  return { key: keyView(parts, key), ...handed }
}

function checkedView(parts: AdminParts, { key, result, otherLmk }: Checked): CheckedKeyView {
  return { ...keyView(parts, key), result, otherLmk }
}

/** Not the check values of others' components: they are told to whom they belong. */
function halfView({ components, ...half }: HalfMadeKey): HalfMadeKeyView {
  return { ...half, entered: components.map(({ by, atMs }) => ({ by, atMs })) }
}

function componentView(
  parts: AdminParts,
  { half, checkValue, clear, key }: Entered,
): ComponentView {
  const shown = clear && toHex(clear).toUpperCase()
  clear?.fill(0)
  return {
    half: halfView(half),
    checkValue,
    ...(shown !== undefined && { component: shown }),
    ...(key && { key: keyView(parts, key) }),
  }
}
