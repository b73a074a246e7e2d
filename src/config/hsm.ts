import { isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import type { HostLmk, LmkPlace, LmkSource, TokenOptions } from '#hsm'
import type { Problem } from '#pack'
import type { Tree } from './tree.ts'
import * as v from './values.ts'

/**
 * The `hsm:` section of conf/nadi.yaml: who keeps our keys, and for how long they are used. The LMK
 * itself is never read here: the thread that uses it reads it, and nobody else.
 */
const second = 1000
const hour = 3_600_000
const day = 24 * hour

const secret = z.strictObject({
  file: v.filePath.optional(),
  env: v
    .value('the name of a variable', text => (/^\w{1,64}$/.test(text) ? text : undefined))
    .optional(),
  credential: v
    .value('a name', text => (/^[\w.-]{1,64}$/.test(text) ? text : undefined))
    .optional(),
})
const label = v.value('1 to 32 characters', text =>
  /^[\x20-\x7e]{1,32}$/.test(text) ? text : undefined,
)
const token = z.strictObject({ library: v.filePath, token: label, key: label, pin: secret })

const times = {
  overlap: v.duration(0, 31 * day).default(day),
  componentsWithin: v.duration(second, 31 * day).default(4 * hour),
  masterLifetime: v.duration(hour, 3660 * day).default(730 * day),
  keyLifetime: v.duration(hour, 3660 * day).default(365 * day),
}

export const hsmSchema = z.discriminatedUnion('keeper', [
  z.strictObject({
    keeper: z.literal('soft'),
    lmk: secret,
    lmkBefore: secret.optional(),
    ...times,
  }),
  z.strictObject({
    keeper: z.literal('pkcs11'),
    ...token.shape,
    lmkBefore: z.union([token, secret]).optional(),
    ...times,
  }),
  z.strictObject({
    keeper: z.literal('payshield'),
    host: v.host,
    port: v.whole(1, 65535).default(1500),
    lmkId: v.digits(2, 2).default('00'),
    lmkScheme: v.oneOf('variant', 'tdes-blocks', 'aes-blocks'),
    connections: v.whole(1, 64).default(4),
    headerLength: v.whole(1, 255).default(4),
    requestTimeout: v.duration(100, 60 * second).default(5 * second),
    ...times,
  }),
])

export type HsmSection = z.output<typeof hsmSchema>

export type HsmConfig = {
  readonly keeper:
    | (LmkPlace & { readonly before: LmkPlace | undefined })
    | {
        readonly tag: 'payshield'
        readonly host: string
        readonly port: number
        readonly connections: number
        readonly headerLength: number
        readonly requestTimeoutMs: number
        readonly lmk: HostLmk
      }
  /** How long a key that was replaced is still accepted. */
  readonly overlapMs: number
  readonly componentsMs: number
  readonly masterLifetimeMs: number
  readonly keyLifetimeMs: number
}

export function hsmConfig(section: HsmSection, varFolder: string, lab: boolean): HsmConfig {
  const { overlap, componentsWithin, masterLifetime, keyLifetime } = section
  return {
    keeper: keeperOf(section, varFolder, lab),
    overlapMs: overlap,
    componentsMs: componentsWithin,
    masterLifetimeMs: masterLifetime,
    keyLifetimeMs: keyLifetime,
  }
}

function keeperOf(section: HsmSection, varFolder: string, lab: boolean): HsmConfig['keeper'] {
  const soft = (ref: Ref): LmkPlace => ({ tag: 'soft', lmk: sourceOf(ref, varFolder), lab })
  const pkcs11 = (given: TokenRef): LmkPlace => ({
    tag: 'pkcs11',
    token: tokenOf(given, varFolder),
  })
  switch (section.keeper) {
    case 'soft':
      return { ...soft(section.lmk), before: section.lmkBefore && soft(section.lmkBefore) }
    case 'pkcs11': {
      const { lmkBefore: before } = section
      const place = before && ('library' in before ? pkcs11(before) : soft(before))
      return { ...pkcs11(section), before: place }
    }
    case 'payshield': {
      const { host, port, connections, headerLength, requestTimeout, lmkId, lmkScheme } = section
      const lmk = { id: lmkId, scheme: lmkScheme }
      const requestTimeoutMs = requestTimeout
      return { tag: 'payshield', host, port, connections, headerLength, requestTimeoutMs, lmk }
    }
  }
}

type Ref = z.output<typeof secret>
type TokenRef = z.output<typeof token>

function tokenOf({ library, token: name, key, pin }: TokenRef, varFolder: string): TokenOptions {
  return { library, token: name, key, pin: sourceOf(pin, varFolder) }
}

/** `hsmProblems` has seen that one of them is there. */
function sourceOf({ file, env, credential }: Ref, varFolder: string): LmkSource {
  if (env !== undefined) return { from: 'environment', name: env }
  if (credential !== undefined) return { from: 'credential', name: credential }
  return { from: 'file', path: resolve(varFolder, file ?? '') }
}

/** Where secrets of the HSM are: in one place each, and not beside what is published. */
export function hsmProblems(
  section: HsmSection | undefined,
  where: Tree['whereNadi'],
  {
    varFolder,
    treeFolders,
  }: { readonly varFolder: string; readonly treeFolders: readonly string[] },
): Problem[] {
  if (!section || section.keeper === 'payshield') return []
  const refs: [key: string, ref: Ref][] =
    section.keeper === 'soft' ? [['lmk', section.lmk]] : [['pin', section.pin]]
  const { lmkBefore: before } = section
  if (before) refs.push(['lmkBefore', 'library' in before ? before.pin : before])
  return refs.flatMap(([key, ref]) => {
    const path = where('hsm', key)
    if (Object.values(ref).filter(value => value !== undefined).length !== 1)
      return [
        { path, text: 'wanted is one of { file: PATH }, { credential: NAME } and { env: NAME }' },
      ]
    if (ref.file === undefined) return []
    const file = resolve(varFolder, ref.file)
    return treeFolders.some(folder => isWithin(folder, file))
      ? [
          {
            path,
            text: `the secret ${ref.file} lies beside the configuration; keep it in the var folder`,
          },
        ]
      : []
  })
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}
