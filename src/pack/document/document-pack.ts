import type { NadiError } from '#base'
import type { Meaning, Message, MessageKind, Reason } from '#message'
import { ACCESS } from '../access.ts'
import type {
  Credentials,
  CredentialSpec,
  HttpCallback,
  HttpPack,
  HttpSession,
  SealContext,
  SealProblem,
} from '../http-pack.ts'
import type { DescribedField, PackConversation, PackRead, PackRecovery } from '../pack.ts'
import { CredentialBook } from './credentials.ts'
import { describeDocument, indexFields, type FieldIndex } from './describe-document.ts'
import type { DocParts, Speaker } from './parts.ts'
import { readAnswer, readCallback, readRequest } from './read-frames.ts'
import { checkSeal, sealFrame } from './sealing.ts'
import { makeSession } from './session.ts'
import { writeCallback, writeMessage, writePlain, writeReject } from './write-frames.ts'
import { leavesOf } from './write-shape.ts'

/** Never in any part of a key, so that two sets of parts cannot run together. */
const SEPARATOR = '|'

/** The face of a compiled dialect; what it does is in the files beside. */
export class DocumentPack implements HttpPack {
  readonly transport = 'http'
  readonly name: string
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: readonly string[]
  readonly credentials: readonly CredentialSpec[]
  readonly withoutInquiry: readonly string[]
  readonly needsOwnReference: boolean
  readonly callback: HttpCallback | undefined
  readonly session: HttpSession | undefined
  readonly #speaker: Speaker
  #index: FieldIndex | undefined

  constructor(parts: DocParts, given: Credentials = {}) {
    this.#speaker = { parts, book: new CredentialBook(parts.credentials, given) }
    this.name = parts.name
    this.conversation = parts.conversation
    this.recovery = parts.recovery
    this.products = parts.products.names
    this.credentials = [...parts.credentials.values()]
    const asked = parts.plans.filter(plan => plan.kind === 'inquiry')
    this.withoutInquiry = this.products.filter(one => !asked.some(plan => plan.products.has(one)))
    this.needsOwnReference = usesOwnReference(parts)
    this.callback = makeCallback(this.#speaker)
    this.session = parts.session && makeSession(this.#speaker, parts.session)
  }

  carries(kind: MessageKind, product: string): boolean {
    const { plans } = this.#speaker.parts
    return plans.some(plan => plan.kind === kind && !plan.callback && plan.products.has(product))
  }

  with(credentials: Credentials): HttpPack {
    return new DocumentPack(this.#speaker.parts, credentials)
  }

  write(message: Message, asked?: Message): Uint8Array {
    return writeMessage(this.#speaker, message, asked)
  }

  readAnswer(frame: Uint8Array, asked: Message): PackRead {
    return readAnswer(this.#speaker, frame, asked)
  }

  readRequest(frame: Uint8Array): PackRead {
    return readRequest(this.#speaker, frame)
  }

  writeReject(error: NadiError, reason: Reason, asked?: Uint8Array): Uint8Array {
    return writeReject(this.#speaker, error, reason, asked)
  }

  seal(frame: Uint8Array, context: SealContext): Uint8Array {
    return sealFrame(this.#speaker, frame, context)
  }

  opens(frame: Uint8Array, context: SealContext): SealProblem | undefined {
    return checkSeal(this.#speaker, frame, context)
  }

  matchKey(message: Message): string {
    const { match } = this.#speaker.parts
    let key = ''
    for (const [index, part] of match.entries()) {
      if (index > 0) key += SEPARATOR
      key +=
        part === 'kind'
          ? message.kind
          : part === 'outcome'
            ? ''
            : ((ACCESS[part].get(message) as string | undefined) ?? '')
    }
    return key
  }

  codeOf(reason: Reason): string {
    return this.#speaker.parts.codes.codeOf(reason)
  }

  meaningOf(kind: MessageKind, code: string): { meaning: Meaning; reason: Reason } {
    const status = /^http (\d{3})$/.exec(code)?.[1]
    const { outcome } = this.#speaker.parts
    const { meaning, reason } =
      status === undefined ? outcome.ofCode(kind, code) : outcome.ofStatus(kind, Number(status))
    return { meaning, reason }
  }

  describe(frame: Uint8Array, { unsafe = false }: { unsafe?: boolean } = {}): DescribedField[] {
    this.#index ??= indexFields(this.#speaker.parts)
    return describeDocument(this.#speaker, this.#index, frame, unsafe)
  }
}

function makeCallback(speaker: Speaker): HttpCallback | undefined {
  const { plans, callbackAnswers } = speaker.parts
  const first = plans.find(plan => plan.callback)
  if (!first) return undefined
  const { method } = first.call
  return {
    method,
    target: first.callTarget,
    read: frame => readCallback(speaker, frame),
    write: message => writeCallback(speaker, message),
    writeAnswer: taken => writePlain(taken ? callbackAnswers.taken : callbackAnswers.refused),
  }
}

/** Whether any message holds our own id, be it inside of a signature only. */
function usesOwnReference({ plans, match }: DocParts): boolean {
  if (match.includes('reference.own')) return true
  return plans.some(
    ({ request }) =>
      request && [...leavesOf(request)].some(({ value }) => value.path === 'reference.own'),
  )
}
