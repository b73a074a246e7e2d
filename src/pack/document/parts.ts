import type { Path } from '#message'
import type { CodeTable } from '../codes.ts'
import type { CredentialSpec } from '../http-pack.ts'
import type { PackConversation, PackRecovery } from '../pack.ts'
import type { Content, Parsed } from './contents.ts'
import type { CredentialBook } from './credentials.ts'
import type { OutcomeRules } from './outcome.ts'
import type { DocPlan } from './plan.ts'
import type { Products } from './products.ts'
import type { SealRules } from './seal-rules.ts'
import type { CompiledSession } from './session.ts'
import type { Shape } from './value.ts'
import type { Wrap } from './wrap.ts'
import type { Security } from './wsse.ts'

/** A dialect over HTTP, compiled; the same for all links that speak it. */
export type DocParts = {
  readonly name: string
  readonly conversation: PackConversation
  readonly recovery: Readonly<Record<string, PackRecovery>>
  readonly products: Products
  readonly credentials: ReadonlyMap<string, CredentialSpec>
  readonly plans: readonly DocPlan[]
  readonly codes: CodeTable
  readonly outcome: OutcomeRules
  readonly seals: Readonly<Record<SealedBy, SealRules>>
  readonly wrap: Wrap | undefined
  readonly security: Security | undefined
  /** What stands in the SOAP header of requests beside it. */
  readonly soapHeader: Shape | undefined
  readonly session: CompiledSession | undefined
  readonly callbackAnswers: { readonly taken: PlainAnswer; readonly refused: PlainAnswer }
  readonly rejects: { readonly shape: Shape; readonly content: Content } | undefined
  /** Which code stands for an error of reading; others have the code of their reason. */
  readonly rejectCodes: ReadonlyMap<string, string>
  readonly match: readonly (Path | 'kind')[]
}

export type SealedBy = 'request' | 'answer' | 'callback' | 'session'

/** An answer that says nothing of a payment. */
export type PlainAnswer = { readonly status: number; readonly type: string; readonly body: string }

/** A dialect with the credentials of one link. */
export type Speaker = { readonly parts: DocParts; readonly book: CredentialBook }

/** The body of a frame as a document, without what it is wrapped in. */
export function parseBody(
  { parts, book }: Speaker,
  content: Content,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  base: number,
): Parsed {
  const parsed = content.read(body, headers['content-type'], base)
  return parts.wrap ? { ...parsed, root: parts.wrap.open(parsed.root, book) } : parsed
}
