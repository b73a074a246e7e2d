import { NadiError, type LocalTime } from '#base'
import { type Framer, type IsoCodec, type IsoMessage, type IsoWriter, latin1Text } from '#iso8583'
import type { Message, MessageKind, Meaning, Reason } from '#message'
import type { CodeTable } from './codes.ts'
import type { KindSpec } from './compile-kinds.ts'
import type { Deciders } from './compile-messages.ts'
import type { MakeReference } from './compile-reference.ts'
import type { Products } from './compile-sections.ts'
import { Cursor } from './cursor.ts'
import { describeFrame } from './describe.ts'
import type { Dialect } from './dialect.ts'
import { enterElement } from './enter.ts'
import { textOf } from './inside.ts'
import type {
  DescribedField,
  Pack,
  PackConversation,
  PackRead,
  PackRecovery,
  Reject,
} from './pack.ts'
import { checkPresence, isThere } from './presence.ts'
import type { Element, Plan, Variant } from './plan.ts'
import { Resolver, type Deciding, type Resolved } from './resolve.ts'
import { ValueWriter } from './value-writer.ts'

export type IsoPackParts = {
  readonly name: string
  readonly framing: Framer
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: Products
  readonly dialect: Dialect
  readonly codes: CodeTable
  readonly plans: readonly Plan[]
  readonly kinds: ReadonlyMap<MessageKind, KindSpec>
  readonly deciders: Deciders
  readonly matchKey: (message: Message) => string
  readonly traceDigits: number
  readonly makeReference: MakeReference | undefined
}

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
  readonly traceDigits: number
  readonly makeReference: MakeReference | undefined
  readonly matchKey: (message: Message) => string
  readonly #parts: IsoPackParts
  readonly #resolver: Resolver
  readonly #product: Deciding | undefined
  readonly #outcome: Deciding
  readonly #cursor = new Cursor()
  readonly #value = new ValueWriter()
  readonly #writer: IsoWriter

  constructor(parts: IsoPackParts) {
    const { codec } = parts.dialect
    const { product, outcome } = parts.deciders
    this.#parts = parts
    this.name = parts.name
    this.framing = parts.framing
    this.codec = codec
    this.conversation = parts.conversation
    this.recovery = parts.recovery
    this.products = parts.products.names
    this.traceDigits = parts.traceDigits
    this.matchKey = parts.matchKey
    this.makeReference = parts.makeReference
    this.#writer = codec.writer()
    this.#product = product && { ...product, at: codec.path(product.path) }
    // Every answer has one; that it does was checked when the pack was compiled.
    const { path, field } = outcome as NonNullable<typeof outcome>
    this.#outcome = { path, field, at: codec.path(path) }
    this.#resolver = new Resolver({ ...parts, product: this.#product, outcome: this.#outcome })
  }

  carries(kind: MessageKind, product: string): boolean {
    return this.#resolver.planFor(kind, product) !== undefined
  }

  read(frame: Uint8Array): PackRead {
    const { message: fields, error } = this.codec.parsePartly(frame)
    if (error) return { tag: 'reject', reject: this.#reject(fields, named(error)) }
    try {
      return { tag: 'message', message: this.#message(fields, this.#resolver.resolve(fields)) }
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
      return { tag: 'reject', reject: this.#reject(fields, named(error)) }
    }
  }

  write(message: Message): Uint8Array {
    const { kind, product, direction, repeat } = message
    const plan = this.#resolver.planFor(kind, product)
    const mti = plan && mtiOf(plan, direction, repeat)
    if (!plan || mti === undefined) {
      const actual = `${direction} ${kind}${product === undefined ? '' : ` of ${product}`}`
      throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind', actual })
    }
    const variant = direction === 'request' ? plan.request : this.#answer(plan, message)
    return this.#writeStraight(mti, variant, message) ?? this.#write(mti, variant, message)
  }

  writeReject({ mti, fields, response }: Reject, reason: Reason): Uint8Array | undefined {
    if (mti === undefined || response) return undefined
    const values = new Map(fields).set(Number(this.#outcome.path), this.codeOf(reason))
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
      if (!error) resolved = this.#resolver.resolve(fields)
    } catch (error) {
      if (!(error instanceof NadiError)) throw error
    }
    return describeFrame(this.#parts.dialect, fields, resolved, options.unsafe ?? false)
  }

  #message(fields: IsoMessage, resolved: Resolved): Message {
    const { plan, variant, direction, repeat, outcome } = resolved
    checkPresence(fields, variant)
    const { frame } = fields
    const text = latin1Text(frame, 0, frame.length)
    const straight = variant.straightRead?.(frame, text, fields, repeat, outcome)
    if (straight) return straight
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
    // All that is there is an element of the variant, so they stand in the same order.
    for (let i = 0, place = 0; i < elements.length; i++) {
      const element = elements[i] as Element
      if (element.optional && !isThere(fields, element.number)) continue
      if (element.inside) readInside(element, fields, fields.startAt(place++), cursor, message)
      else {
        enterElement(cursor, element, fields, place++, text)
        element.read(cursor, message)
      }
    }
    if (plan.echoed.length > 0) keepEchoed(plan, fields, message)
    return message
  }

  #reject(fields: IsoMessage, error: NadiError): Reject {
    const mti = fields.mti === '' ? undefined : fields.mti
    const values = new Map<number, string>()
    for (const number of fields.numbers) values.set(number, fields.get(number) ?? '')
    const unknownProduct =
      error.code === 'PACK_UNKNOWN_MESSAGE' && error.path === this.#product?.field
    const reason: Reason = unknownProduct ? 'product-unknown' : 'format-error'
    return { error, mti, fields: values, reason, response: mti !== undefined && isResponse(mti) }
  }

  #answer(plan: Plan, { kind, outcome }: Message): Variant {
    if (!outcome) throw new NadiError('PACK_MISSING_FIELD', { path: 'outcome' })
    const { codes } = this.#parts
    const approved = codes.codeFor(kind, outcome) === codes.codeOf('approved')
    return approved ? plan.approved : plan.declined
  }

  /** Undefined when it cannot be written so: the general way tells why, or does it. */
  #writeStraight(mti: string, variant: Variant, message: Message): Uint8Array | undefined {
    if (!variant.straightWrite) return undefined
    try {
      const writer = this.#writer.begin(mti)
      return variant.straightWrite(writer, message) ? writer.end() : undefined
    } catch (error) {
      if (error instanceof NadiError) return undefined
      throw error
    }
  }

  #write(mti: string, { elements }: Variant, message: Message): Uint8Array {
    const value = this.#value
    try {
      const writer = this.#writer.begin(mti)
      for (let i = 0; i < elements.length; i++) {
        const element = elements[i] as Element
        if (element.optional && !element.has(message)) continue
        const { number, inside, text } = element
        if (inside) writer.setParts(number, inside.write(value, message))
        else if (text) writer.set(number, textOf(element, value, message))
        else {
          value.begin()
          element.write(value, message)
          writer.setText(number, value.characters, value.length)
        }
      }
      return writer.end()
    } catch (error) {
      throw error instanceof NadiError ? named(error) : error
    }
  }
}

function readInside(
  { number, inside }: Element,
  fields: IsoMessage,
  offset: number,
  cursor: Cursor,
  into: Message,
): void {
  inside?.read(fields.parts(number) ?? [], offset, cursor, into)
}

/** As it stood on the wire. */
function keepEchoed({ echoed }: Plan, fields: IsoMessage, into: Message): void {
  let kept: Record<string, string> | undefined
  for (const number of echoed) {
    const value = fields.get(number)
    if (value !== undefined) (kept ??= {})[number] = value
  }
  if (kept) into.echoed = kept
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
