import { z } from 'zod'
import { KEY_KINDS, KEY_TYPES, type KeyKind, type KeyTypeName } from '#hsm'
import { KEY_STATES, parseKeyId } from '#keys'
import { act, whole } from './input.ts'

/** What comes in about keys. */

const types = Object.keys(KEY_TYPES) as [KeyTypeName, ...KeyTypeName[]]
const kinds = Object.keys(KEY_KINDS) as [KeyKind, ...KeyKind[]]
const zone = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected the name of a link or listener')
const id = z.string().transform((text, context) => {
  const read = parseKeyId(text)
  if (read !== undefined) return read
  context.issues.push({ code: 'custom', message: 'expected the 8 characters of an id', input: '' })
  return z.NEVER
})
const checkValue = z.string().regex(/^[0-9A-Fa-f]{4,16}$/, 'expected 4 to 16 hexadecimal digits')
const scheme = z.enum(['R', 'X', 'U'])
const wanted = { zone, type: z.enum(types), kind: z.enum(kinds).optional() }

/** The longest block of an AES key with all that may stand in its header. */
const WRAPPED_MAX = 4096

export const KEY_ID = z.object({ id })

export const KEYS_QUERY = z.strictObject({
  zone: zone.optional(),
  type: z.enum(types).optional(),
  state: z.enum(KEY_STATES).optional(),
  all: z.literal('1').optional(),
})

export const KEY_ACT_BODY = z.strictObject(act)

export const GENERATE_BODY = z.strictObject({ ...wanted, activate: z.boolean().optional(), ...act })

export const IMPORT_BODY = z.strictObject({
  ...wanted,
  wrapped: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected one key')
    .max(WRAPPED_MAX),
  under: z.union([z.literal('lmk'), id]).optional(),
  checkValue: checkValue.optional(),
  activate: z.boolean().optional(),
  ...act,
})

/** How the key travels is said only where it travels by hand: the line has its own way. */
export const ROTATE_BODY = z.strictObject({
  ...wanted,
  byHand: z.boolean().default(false),
  under: id.optional(),
  scheme: scheme.optional(),
  ...act,
})

export const EXPORT_BODY = z.strictObject({
  under: id.optional(),
  scheme: scheme.default('R'),
  ...act,
})

/** The component itself is the body, as bytes; with `draw` there is none, and the HSM draws it. */
const entering = { checkValue: checkValue.optional(), draw: z.literal('1').optional(), ...act }

export const BEGIN_QUERY = z.strictObject({
  ...wanted,
  parts: whole.pipe(z.number().min(2).max(9)),
  ...entering,
})

export const ENTER_QUERY = z.strictObject(entering)
