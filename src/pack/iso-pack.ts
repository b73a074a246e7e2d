import { NadiError, type LocalTime } from '#base'
import { decode, Fields, FrameWriter, type FieldTable, type Framer } from '#iso8583'
import type { Message, MessageKind, Meaning, Outcome, Reason } from '#message'
import type { CodeTable } from './codes.ts'
import type { Deciders, KindSpec } from './compile-messages.ts'
import { Cursor } from './cursor.ts'
import { describeFrame } from './describe.ts'
import type {
  DescribedField,
  Pack,
  PackConversation,
  PackRead,
  PackRecovery,
  Reject,
} from './pack.ts'
import type { Element, Plan, Variant } from './plan.ts'

export type IsoPackParts = {
  readonly name: string
  readonly framing: Framer
  readonly frameBytesMax: number
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  /** Product by its code on the wire. */
  readonly products: ReadonlyMap<string, string>
  readonly table: FieldTable
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
 * Fields, Cursor and FrameWriter serve every message, because nothing in here waits.
 */
export class IsoPack implements Pack {
  readonly name: string
  readonly framing: Framer
  readonly table: FieldTable
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: readonly string[]
  readonly matchKey: (message: Message) => string
  readonly #parts: IsoPackParts
  readonly #types = new Map<string, TypeEntry>()
  readonly #plans = new Map<MessageKind, Map<string | undefined, Plan>>()
  readonly #fields = new Fields()
  readonly #cursor = new Cursor()
  readonly #writer: FrameWriter

  constructor(parts: IsoPackParts) {
    this.#parts = parts
    this.name = parts.name
    this.framing = parts.framing
    this.table = parts.table
    this.conversation = parts.conversation
    this.recovery = parts.recovery
    this.products = [...parts.products.values()]
    this.matchKey = parts.matchKey
    this.#writer = new FrameWriter(parts.frameBytesMax)
    for (const plan of parts.plans) this.#addPlan(plan)
  }

  read(frame: Uint8Array): PackRead {
    const fields = this.#fields
    try {
      decode(this.#parts.table, frame, fields)
      return { tag: 'message', message: this.#message(fields, this.#resolve(fields)) }
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      return { tag: 'reject', reject: this.#reject(fields, error) }
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
    const { codecs } = this.#parts.table
    const outcome = this.#parts.deciders.outcome as number
    const values = new Map(fields).set(outcome, this.codeOf(reason))
    const writer = this.#writer
    writer.begin(responseType(mti))
    for (const number of [...values.keys()].sort((a, b) => a - b)) {
      const codec = codecs[number]
      if (!codec) continue
      writer.open(codec)
      writer.chars(values.get(number) as string, codec.spec.content, codec.path)
      writer.close(codec)
    }
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
    const fields = new Fields()
    let resolved: Resolved | undefined
    try {
      decode(this.#parts.table, frame, fields)
      resolved = this.#resolve(fields)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
    }
    return describeFrame(this.#parts.table, fields, resolved, options.unsafe ?? false)
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
  #resolve(fields: Fields): Resolved {
    const entry = this.#types.get(fields.mti as string)
    if (!entry) {
      const [path, offset, actual] = ['mti', 0, fields.mti as string]
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
    const outcome = this.#parts.codes.outcomeOf(kind, fields.text(outcomeField))
    const variant = outcome.reason === SUCCESS ? plan.approved : plan.declined
    return { plan, variant, direction, repeat, outcome }
  }

  #planOf(fields: Fields, kind: MessageKind): Plan {
    const byProduct = this.#plans.get(kind) as Map<string | undefined, Plan>
    const network = byProduct.get(undefined)
    if (network) return network
    const number = this.#parts.deciders.product as number
    need(fields, number)
    const path = `de${number}`
    const product = this.#parts.products.get(fields.text(number))
    if (product === undefined) {
      const [offset, expected] = [fields.start(number), [...this.#parts.products.keys()].join(', ')]
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path, offset, expected })
    }
    const plan = byProduct.get(product)
    if (!plan) {
      const actual = `${kind} of ${product}`
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'mti', offset: 0, actual })
    }
    return plan
  }

  #message(fields: Fields, resolved: Resolved): Message {
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
    const cursor = this.#cursor
    const text = fields.frameText
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i] as Element
      const { number } = element.codec.spec
      if (element.optional && !fields.has(number)) continue
      cursor.enter(text, fields.start(number), fields.end(number), element.codec.path)
      element.read(cursor, message)
    }
    return message
  }

  #reject(fields: Fields, error: NadiError): Reject {
    const { mti } = fields
    const values = new Map<number, string>()
    for (const number of fields.numbers()) values.set(number, fields.text(number))
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
    const writer = this.#writer
    writer.begin(mti)
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i] as Element
      if (element.optional && !element.has(message)) continue
      writer.open(element.codec)
      element.write(writer, message)
      writer.close(element.codec)
    }
    return writer.end()
  }
}

function kindByMark(fields: Fields, { markField, byMark }: TypeEntry): MessageKind {
  need(fields, markField)
  const kind = byMark.get(fields.text(markField))
  if (kind) return kind
  const [path, offset] = [`de${markField}`, fields.start(markField)]
  const expected = [...byMark.keys()].join(', ')
  throw new NadiError('PACK_UNKNOWN_MESSAGE', { path, offset, expected })
}

function need(fields: Fields, number: number): void {
  if (!fields.has(number)) throw missing(number)
}

/** Every element that the message needs is there, and none that it does not have. */
function checkPresence(fields: Fields, { allowed, required }: Variant): void {
  for (let index = 0; index < allowed.length; index++) {
    const present = fields.word(index)
    const lacking = (required[index] as number) & ~present
    const unknown = present & ~(allowed[index] as number)
    if ((lacking | unknown) === 0) continue
    const number = index * 32 + 1 + Math.clz32(lacking === 0 ? unknown : lacking)
    if (lacking !== 0) throw missing(number)
    const [path, offset] = [`de${number}`, fields.start(number)]
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
