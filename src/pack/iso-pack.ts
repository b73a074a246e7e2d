import { NadiError, type LocalTime } from '#base'
import { type Framer, type IsoCodec, type IsoMessage, type IsoWriter, latin1Text } from '#iso8583'
import type { Message, MessageKind, Meaning, Outcome, Reason } from '#message'
import type { CodeTable } from './codes.ts'
import type { Deciders, KindSpec } from './compile-messages.ts'
import { Cursor } from './cursor.ts'
import { enterElement } from './enter.ts'
import { describeFrame } from './describe.ts'
import type { Dialect } from './dialect.ts'
import type {
  DescribedField,
  Pack,
  PackConversation,
  PackRead,
  PackRecovery,
  Reject,
} from './pack.ts'
import type { Element, Plan, Variant } from './plan.ts'
import { ValueWriter } from './value-writer.ts'

export type IsoPackParts = {
  readonly name: string
  readonly framing: Framer
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  /** Product by its code on the wire. */
  readonly products: ReadonlyMap<string, string>
  readonly dialect: Dialect
  readonly codes: CodeTable
  readonly plans: readonly Plan[]
  readonly kinds: ReadonlyMap<MessageKind, KindSpec>
  readonly deciders: Deciders
  readonly matchKey: (message: Message) => string
}

/** What a message type says by itself. */
type TypeEntry = {
  readonly direction: 'request' | 'response'
  readonly repeat: boolean
  /** The element that tells the kinds apart, when there is more than one. */
  readonly markField: number
  readonly byMark: Map<string, MessageKind>
  readonly kind: MessageKind
}

/** What is known of a frame before its elements are read into a message. */
export type Resolved = {
  readonly plan: Plan
  readonly variant: Variant
  readonly direction: 'request' | 'response'
  readonly repeat: boolean
  readonly outcome: Outcome | undefined
}

const SUCCESS: Reason = 'approved'

/**
 * A pack of an ISO 8583 dialect. Reading goes frame → fields (offsets) → plan → message; one
 * Cursor and one writer serve every message, because nothing in here waits.
 */
export class IsoPack implements Pack {
  readonly name: string
  readonly framing: Framer
  readonly codec: IsoCodec
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: readonly string[]
  readonly matchKey: (message: Message) => string
  readonly #parts: IsoPackParts
  readonly #types = new Map<string, TypeEntry>()
  readonly #plans = new Map<MessageKind, Map<string | undefined, Plan>>()
  readonly #cursor = new Cursor()
  readonly #value = new ValueWriter()
  readonly #writer: IsoWriter

  constructor(parts: IsoPackParts) {
    this.#parts = parts
    this.name = parts.name
    this.framing = parts.framing
    this.codec = parts.dialect.codec
    this.conversation = parts.conversation
    this.recovery = parts.recovery
    this.products = [...parts.products.values()]
    this.matchKey = parts.matchKey
    this.#writer = parts.dialect.codec.writer()
    for (const plan of parts.plans) this.#addPlan(plan)
  }

  read(frame: Uint8Array): PackRead {
    const { message: fields, error } = this.codec.parsePartly(frame)
    if (error) return { tag: 'reject', reject: this.#reject(fields, named(error)) }
    try {
      return { tag: 'message', message: this.#message(fields, this.#resolve(fields)) }
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      return { tag: 'reject', reject: this.#reject(fields, named(error)) }
    }
  }

  write(message: Message): Uint8Array {
    const { kind, product, direction, repeat } = message
    const plan = this.#plans.get(kind)?.get(product)
    const mti = plan && mtiOf(plan, direction, repeat)
    if (!plan || mti === undefined) {
      const actual = `${direction} ${kind}${product === undefined ? '' : ` of ${product}`}`
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind', actual })
    }
    const variant = direction === 'request' ? plan.request : this.#answer(plan, message)
    return this.#write(mti, variant, message)
  }

  writeReject({ mti, fields, response }: Reject, reason: Reason): Uint8Array | undefined {
    if (mti === undefined || response) return undefined
    const outcome = this.#parts.deciders.outcome as number
    const values = new Map(fields).set(outcome, this.codeOf(reason))
    const writer = this.#writer.begin(responseType(mti))
    for (const number of [...values.keys()].sort((a, b) => a - b))
      writer.set(number, values.get(number) as string)
    return writer.end()
  }

  codeOf(reason: Reason): string {
    return this.#parts.codes.codeOf(reason)
  }

  meaningOf(kind: MessageKind, code: string): { meaning: Meaning; reason: Reason } {
    const { meaning, reason } = this.#parts.codes.outcomeOf(kind, code)
    return { meaning, reason }
  }

  describe(frame: Uint8Array, options: { unsafe?: boolean } = {}): DescribedField[] {
    const { message: fields, error } = this.codec.parsePartly(frame)
    let resolved: Resolved | undefined
    try {
      if (!error) resolved = this.#resolve(fields)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
    }
    return describeFrame(this.#parts.dialect, fields, resolved, options.unsafe ?? false)
  }

  #addPlan(plan: Plan): void {
    const byProduct = this.#plans.get(plan.kind) ?? new Map<string | undefined, Plan>()
    byProduct.set(plan.product, plan)
    this.#plans.set(plan.kind, byProduct)
    const { request, response, repeat, repeatResponse } = plan.mti
    this.#addType(plan, request, 'request', false)
    this.#addType(plan, response, 'response', false)
    if (repeat !== undefined) this.#addType(plan, repeat, 'request', true)
    if (repeatResponse !== undefined) this.#addType(plan, repeatResponse, 'response', true)
  }

  #addType(plan: Plan, mti: string, direction: 'request' | 'response', repeat: boolean): void {
    const { kind } = plan
    const mark = this.#parts.kinds.get(kind)?.mark
    const entry = this.#types.get(mti) ?? {
      direction,
      repeat,
      markField: mark?.field ?? 0,
      byMark: new Map<string, MessageKind>(),
      kind,
    }
    if (mark) entry.byMark.set(mark.value, kind)
    this.#types.set(mti, entry)
  }

  /** Finds out which message this is: by type, mark, product and, first of all, the code. */
  #resolve(fields: IsoMessage): Resolved {
    const entry = this.#types.get(fields.mti)
    if (!entry) {
      const [path, offset, actual] = ['mti', 0, fields.mti]
      throw new NadiError('CODEC_MTI', { path, offset, actual })
    }
    const kind = entry.markField === 0 ? entry.kind : kindByMark(fields, entry)
    const plan = this.#planOf(fields, kind)
    const { direction, repeat } = entry
    if (direction === 'request') {
      return { plan, variant: plan.request, direction, repeat, outcome: undefined }
    }
    const outcomeField = this.#parts.deciders.outcome as number
    need(fields, outcomeField)
    const outcome = this.#parts.codes.outcomeOf(kind, textOf(fields, outcomeField))
    const variant = outcome.reason === SUCCESS ? plan.approved : plan.declined
    return { plan, variant, direction, repeat, outcome }
  }

  #planOf(fields: IsoMessage, kind: MessageKind): Plan {
    const byProduct = this.#plans.get(kind) as Map<string | undefined, Plan>
    const network = byProduct.get(undefined)
    if (network) return network
    const number = this.#parts.deciders.product as number
    need(fields, number)
    const path = `de${number}`
    const product = this.#parts.products.get(textOf(fields, number))
    if (product === undefined) {
      const [offset, expected] = [
        valueAt(fields, number),
        [...this.#parts.products.keys()].join(', '),
      ]
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path, offset, expected })
    }
    const plan = byProduct.get(product)
    if (!plan) {
      const actual = `${kind} of ${product}`
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'mti', offset: 0, actual })
    }
    return plan
  }

  #message(fields: IsoMessage, resolved: Resolved): Message {
    const { plan, variant, direction, repeat, outcome } = resolved
    checkPresence(fields, variant)
    const message: Message = {
      kind: plan.kind,
      direction,
      repeat,
      trace: '',
      sentAt: '' as LocalTime,
    }
    if (plan.product !== undefined) message.product = plan.product
    if (outcome !== undefined) message.outcome = outcome
    const { elements } = variant
    const { frame } = fields
    const text = latin1Text(frame, 0, frame.length)
    const cursor = this.#cursor
    // All that is there is an element of the variant, so they stand in the same order.
    for (let i = 0, place = 0; i < elements.length; i++) {
      const element = elements[i] as Element
      if (element.optional && !isThere(fields, element.number)) continue
      enterElement(cursor, element, fields, place++, text)
      element.read(cursor, message)
    }
    return message
  }

  #reject(fields: IsoMessage, error: NadiError): Reject {
    const mti = fields.mti === '' ? undefined : fields.mti
    const values = new Map<number, string>()
    for (const number of fields.numbers) values.set(number, textOf(fields, number))
    const product = `de${this.#parts.deciders.product}`
    const unknownProduct = error.code === 'PACK_UNKNOWN_MESSAGE' && error.path === product
    const reason: Reason = unknownProduct ? 'product-unknown' : 'format-error'
    return { error, mti, fields: values, reason, response: mti !== undefined && isResponse(mti) }
  }

  #answer(plan: Plan, { kind, outcome }: Message): Variant {
    if (!outcome) throw new NadiError('PACK_MISSING_FIELD', { path: 'outcome' })
    const { codes } = this.#parts
    const approved = codes.codeFor(kind, outcome) === codes.codeOf(SUCCESS)
    return approved ? plan.approved : plan.declined
  }

  #write(mti: string, { elements }: Variant, message: Message): Uint8Array {
    const value = this.#value
    try {
      const writer = this.#writer.begin(mti)
      for (let i = 0; i < elements.length; i++) {
        const element = elements[i] as Element
        if (element.optional && !element.has(message)) continue
        if (element.text) {
          writer.set(element.number, wholeOf(element, message))
          continue
        }
        value.begin()
        element.write(value, message)
        writer.setText(element.number, value.characters, value.length)
      }
      return writer.end()
    } catch (error) {
      throw error instanceof NadiError ? named(error) : error
    }
  }
}

function wholeOf({ text, field }: Element, message: Message): string {
  const value = text?.(message)
  if (value === undefined) throw new NadiError('PACK_MISSING_FIELD', { path: field })
  return value
}

function kindByMark(fields: IsoMessage, { markField, byMark }: TypeEntry): MessageKind {
  need(fields, markField)
  const kind = byMark.get(textOf(fields, markField))
  if (kind) return kind
  const [path, offset] = [`de${markField}`, valueAt(fields, markField)]
  const expected = [...byMark.keys()].join(', ')
  throw new NadiError('PACK_UNKNOWN_MESSAGE', { path, offset, expected })
}

function need(fields: IsoMessage, number: number): void {
  if (!isThere(fields, number)) throw missing(number)
}

/** The codec's paths begin with the number; here, as in the standard's text, it is de48. */
function named(error: NadiError): NadiError {
  const { code, path, offset, expected, actual, hint, cause } = error
  if (path === undefined || !/^\d/.test(path)) return error
  return new NadiError(code, {
    path: `de${path}`,
    ...(offset !== undefined && { offset }),
    ...(expected !== undefined && { expected }),
    ...(actual !== undefined && { actual }),
    ...(hint !== undefined && { hint }),
    cause,
  })
}

/** Cheaper than `has`, which also asks whether the bit names a field. */
function isThere(fields: IsoMessage, number: number): boolean {
  return (fields.word((number - 1) >> 5) & (0x80000000 >>> ((number - 1) & 31))) !== 0
}

function textOf(fields: IsoMessage, number: number): string {
  return fields.get(number) ?? ''
}

/** Where the value of an element begins. */
function valueAt(fields: IsoMessage, number: number): number {
  const value = fields.raw(number)
  return value === undefined ? 0 : value.byteOffset - fields.frame.byteOffset
}

/** Every element that the message needs is there, and none that it does not have. */
function checkPresence(fields: IsoMessage, { allowed, required }: Variant): void {
  for (let index = 0; index < allowed.length; index++) {
    const present = fields.word(index)
    const lacking = (required[index] as number) & ~present
    const unknown = present & ~(allowed[index] as number)
    if ((lacking | unknown) === 0) continue
    const number = index * 32 + 1 + Math.clz32(lacking === 0 ? unknown : lacking)
    if (lacking !== 0) throw missing(number)
    const [path, offset] = [`de${number}`, valueAt(fields, number)]
    throw new NadiError('PACK_UNKNOWN_FIELD', { path, offset })
  }
}

/** A field that is not there has no offset of its own; the bitmap is where it is not named. */
function missing(number: number): NadiError {
  const [path, expected] = [`de${number}`, 'its bit in the bitmap']
  return new NadiError('PACK_MISSING_FIELD', { path, offset: BITMAP_OFFSET, expected })
}

const BITMAP_OFFSET = 4

function mtiOf({ mti }: Plan, direction: 'request' | 'response', repeat: boolean) {
  if (direction === 'request') return repeat ? mti.repeat : mti.request
  // A dialect without a type of its own for the answer to a repeat answers as to the first.
  return repeat ? (mti.repeatResponse ?? mti.response) : mti.response
}

/** The third digit is the function; an odd one answers the even one before it (ISO 8583). */
function isResponse(mti: string): boolean {
  return (mti.charCodeAt(2) & 1) === 1
}

function responseType(mti: string): string {
  return mti.slice(0, 2) + String.fromCharCode(mti.charCodeAt(2) + 1) + mti.slice(3)
}
