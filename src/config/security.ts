import { z } from 'zod'
import { KEY_TYPES, type KeyType, type KeyTypeName } from '#hsm'
import type { IsoCodec } from '#iso8583'
import type { Problem } from '#pack'
import { EXCHANGE_PROFILES, type ExchangeName, type SecurityProfile } from '#switch'
import type { Packs } from './checks.ts'
import type { Section, Tree } from './tree.ts'
import * as v from './values.ts'

/**
 * `security:` of conf/links/NAME.yaml and conf/listeners/NAME.yaml: how messages with this
 * counterpart are protected. Its keys are those of the zone of the same name.
 */
const element = v.whole(2, 192)
const KEY_NAMES = Object.keys(KEY_TYPES) as KeyTypeName[]
const keyOf = (may: string): ReturnType<typeof v.oneOf<KeyTypeName>> =>
  v.oneOf(...KEY_NAMES.filter(name => (KEY_TYPES[name].may as readonly string[]).includes(may)))

const digit = <T extends number>(...numbers: readonly T[]) =>
  v.value(`one of ${numbers.join(', ')}`, text => numbers.find(number => String(number) === text))

const covers = z.union([v.oneOf('message'), z.array(element).min(1).max(128)])

export const securitySchema = z.strictObject({
  mac: z
    .strictObject({
      field: digit(64, 128),
      algorithm: v.oneOf('retail', 'cbc', 'cmac', 'hmac'),
      padding: digit(1, 2, 3).default(1),
      bytes: digit(4, 8).default(8),
      keyType: keyOf('make-mac'),
      covers: covers.default('message'),
    })
    .optional(),
  pin: z
    .strictObject({
      field: element.default(52),
      format: digit(0, 1, 3, 4),
      keyType: keyOf('decrypt-pin'),
    })
    .optional(),
  session: z.strictObject({ field: element.default(53), keyType: keyOf('encrypt') }).optional(),
  card: z.array(element).max(8).default([]),
  exchange: z
    .strictObject({
      profile: v.oneOf(...(Object.keys(EXCHANGE_PROFILES) as ExchangeName[])),
      keys: z
        .array(v.oneOf(...KEY_NAMES))
        .min(1)
        .max(8),
      by: v.oneOf('ask', 'give', 'wait').default('wait'),
      every: v.duration(0, 400 * 86_400_000).default(0),
      timeout: v.duration(100, 300_000).default(10_000),
      attempts: v.whole(1, 10).default(3),
      mac: v.flag.default(false),
    })
    .optional(),
})

/** On a listener partners may have keys of their own: those of the zone that is named for each. */
export const listenerSecuritySchema = securitySchema.extend({
  zones: z.record(z.string(), v.name).default({}),
})

export type SecurityEntry = z.output<typeof securitySchema>

export function security(entry: SecurityEntry | undefined): SecurityProfile | undefined {
  if (!entry) return undefined
  const { mac, pin, session, card, exchange } = entry
  return {
    ...(mac && { mac: macOf(mac) }),
    ...(pin && { pin }),
    ...(session && { session }),
    ...(exchange && {
      exchange: {
        profile: EXCHANGE_PROFILES[exchange.profile],
        keys: exchange.keys,
        by: exchange.by,
        everyMs: exchange.every,
        timeoutMs: exchange.timeout,
        attempts: exchange.attempts,
        mac: exchange.mac,
      },
    }),
    card,
  }
}

function macOf(mac: NonNullable<SecurityEntry['mac']>): SecurityProfile['mac'] & {} {
  const { field, algorithm, padding, bytes: macBytes, keyType, covers: covered } = mac
  return { field, algorithm, padding, macBytes, keyType, covers: covered }
}

type Secured = { readonly pack: string; readonly security?: SecurityEntry | undefined }

/** A partner's own zone is one more: of somebody who is there, and of nobody else. */
export function zonesFit({ links, listeners, partners }: Tree): Problem[] {
  const taken = new Set([...(links.names ?? []), ...(listeners.names ?? []), 'lab'])
  return [...listeners.entries].flatMap(([name, { security: entry }]) =>
    Object.entries(entry?.zones ?? {}).flatMap(([partner, zone]) => {
      const path = listeners.where(name, 'security', 'zones', partner)
      const isTaken = taken.has(zone)
      taken.add(zone)
      return [
        ...(partners.names && !partners.names.includes(partner)
          ? [{ path, text: `no partner is called "${partner}"` }]
          : []),
        ...(isTaken ? [{ path, text: `the zone ${zone} is another one's already` }] : []),
      ]
    }),
  )
}

/** What is said of an element must be something that the dialect can carry. */
export function securityFits({ nadi, links, listeners }: Tree, { loaded }: Packs): Problem[] {
  return [links, listeners].flatMap((section: Section<Secured>) =>
    [...section.entries].flatMap(([name, { pack, security: entry }]) => {
      if (!entry) return []
      if (nadi && !nadi.hsm) return [{ path: section.where(name, 'security'), text: NO_HSM }]
      const codec = loaded.get(pack)?.codec
      if (!codec) return []
      const at = (key: string): string => section.where(name, 'security', key)
      return [
        ...elementsFit(entry, codec, at),
        ...macFits(entry, at),
        ...exchangeFits(entry, codec, at),
      ]
    }),
  )
}

const NO_HSM = 'nobody keeps its keys: conf/nadi.yaml has no `hsm` section'

function elementsFit(
  { mac, pin, session }: SecurityEntry,
  codec: IsoCodec,
  at: (key: string) => string,
): Problem[] {
  const wanted = [
    ['mac', mac?.field, 16],
    ['pin', pin?.field, pin?.format === 4 ? 32 : 16],
    ['session', session?.field, 16],
  ] as const
  return wanted.flatMap(([key, field, digits]) =>
    field === undefined || canCarry(codec, field, '0'.repeat(digits))
      ? []
      : [{ path: at(key), text: `element ${field} of the pack cannot carry ${digits} digits` }],
  )
}

function canCarry(codec: IsoCodec, field: number, value: string): boolean {
  try {
    codec.create('0200').set(field, value).build()
    return true
  } catch {
    return false
  }
}

function macFits({ mac }: SecurityEntry, at: (key: string) => string): Problem[] {
  if (!mac) return []
  const { macs }: KeyType = KEY_TYPES[mac.keyType]
  if (!macs || macs.includes(mac.algorithm)) return []
  const text = `a ${mac.keyType} makes ${macs.join(', ')}, not ${mac.algorithm}`
  return [{ path: at('mac'), text }]
}

function exchangeFits(
  { exchange, mac }: SecurityEntry,
  codec: IsoCodec,
  at: (key: string) => string,
): Problem[] {
  if (!exchange) return []
  const { places, marks, code }: (typeof EXCHANGE_PROFILES)[ExchangeName] =
    EXCHANGE_PROFILES[exchange.profile]
  const path = at('exchange')
  const ids = new Set(codec.spec.fields.map(({ id }) => id))
  const missing = [code, ...places.map(({ element: number }) => number)].filter(
    number => !ids.has(String(number)),
  )
  const unsealed = exchange.mac && !mac
  const unmarked = exchange.keys.filter(key => !(key in marks))
  return [
    ...missing.map(number => ({ path, text: `the pack has no element ${number}` })),
    ...(unsealed
      ? [{ path, text: 'mac: true, and the section does not say how a MAC is made' }]
      : []),
    ...(exchange.keys.length > 1 && unmarked.length > 0
      ? [{ path, text: `${exchange.profile} cannot tell ${unmarked.join(', ')} from other keys` }]
      : []),
  ]
}
