import { assert } from '#base'
import type { CommitTexts } from '../check.ts'
import { element } from './columns.ts'
import type { EvidenceSafe } from './evidence.ts'
import type { Grouped } from './group.ts'
import { GrowingBytes } from './growing.ts'
import type { Commit } from '../journal.ts'

/** A commit that was found good and waits for its batch. */
export type Candidate = Grouped & {
  readonly commit: Commit
  readonly texts: CommitTexts
  member: Member | undefined
}

/** A commit made ready to travel. */
export type Member = {
  readonly commit: Commit
  /** Its id and its partner as elements of array literals: they stand in many of them. */
  readonly id: string
  readonly partner: string
  /** For each record its data, its state and its sealed evidence, one after another. */
  readonly parts: readonly Parts[]
  readonly bytes: Buffer
}

export type Parts = { readonly data: number; readonly state: number; readonly evidence: number }

export function candidate(commit: Commit, texts: CommitTexts): Candidate {
  let size = texts.state.length
  for (const text of texts.data) size += text.length
  for (const { frames = [] } of commit.records) for (const { bytes } of frames) size += bytes.length
  const { mayLinger = false } = commit
  return { commit, texts, claims: claimsOf(commit), size, mayLinger, member: undefined }
}

/** How many commits are made ready together. */
const CHUNK = 32

/**
 * Makes commits ready in chunks as they gather, while the batch before them is on its way; not each
 * by itself, because sealing is much code and little data, and three times as fast when the
 * processor has that code at hand.
 */
export class Preparation {
  readonly #safe: EvidenceSafe
  #gathered: Candidate[] = []

  constructor(safe: EvidenceSafe) {
    this.#safe = safe
  }

  add(candidate: Candidate): void {
    this.#gathered.push(candidate)
    if (this.#gathered.length >= CHUNK) this.#prepare()
  }

  /** The members of a batch that leaves now. */
  take(candidates: readonly Candidate[]): Member[] {
    this.#prepare()
    return candidates.map(({ member }) => {
      assert(member, 'whoever leaves has gathered')
      return member
    })
  }

  #prepare(): void {
    const sizes = this.#gathered.reduce((sum, { size }) => sum + size + SEAL_BYTES, 0)
    const out = new GrowingBytes(sizes)
    for (const candidate of this.#gathered) candidate.member = memberOf(candidate, this.#safe, out)
    this.#gathered = []
  }
}

function memberOf({ commit, texts }: Candidate, safe: EvidenceSafe, out: GrowingBytes): Member {
  const start = out.length
  const parts = partsOf(commit, texts, safe, out)
  const { id, partner } = commit.head
  return { commit, id: `${id}`, partner: element(partner), parts, bytes: out.from(start) }
}

/** What sealing adds to the frames of a record, roughly. */
const SEAL_BYTES = 256

function partsOf(
  { head, expects, records }: Commit,
  texts: CommitTexts,
  safe: EvidenceSafe,
  out: GrowingBytes,
): Parts[] {
  const { partner, id } = head
  return records.map(({ frames = [] }, index) => ({
    data: out.text(texts.data[index] ?? ''),
    state: index === records.length - 1 ? out.text(texts.state) : 0,
    evidence:
      frames.length > 0 ? safe.seal({ partner, id, version: expects + index + 1 }, frames, out) : 0,
  }))
}

function claimsOf({ head, expects }: Commit): string[] {
  const claims = [`${head.id}`]
  if (expects > 0) return claims
  if (head.key !== undefined) claims.push(`k ${head.partner} ${head.key}`)
  if (head.inquiryId !== undefined) claims.push(`i ${head.partner} ${head.inquiryId}`)
  return claims
}
