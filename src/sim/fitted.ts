import { isNadiError, ZERO } from '#base'
import { dueOfBill, dueOfBills, type Message } from '#message'
import type { HttpPack } from '#pack'

/**
 * The bills of an answer as the dialect can tell them: where it has no place for a late fee, that is
 * part of the bill. What is due stays the same.
 */
export function fitted(pack: HttpPack, answer: Message, asked: Message): Message {
  const { bills } = answer
  if (!bills?.some(({ penaltyMinor = ZERO }) => penaltyMinor > 0n)) return answer
  if (hasToldAlike(pack, answer) || tells(pack, answer, asked)) return answer
  const folded = bills.map(bill => ({ ...bill, amountMinor: dueOfBill(bill), penaltyMinor: ZERO }))
  return { ...answer, bills: folded }
}

/** Kinds of answers about so many bills that a dialect was seen to tell whole. */
const TOLD = new WeakMap<HttpPack, Set<string>>()

function alike({ kind, product, bills }: Message): string {
  return `${kind} ${product} ${bills?.length}`
}

function hasToldAlike(pack: HttpPack, answer: Message): boolean {
  return TOLD.get(pack)?.has(alike(answer)) === true
}

/** What is written is read as what it was. */
function tells(pack: HttpPack, answer: Message, asked: Message): boolean {
  try {
    const read = pack.readAnswer(pack.write(answer, asked), asked)
    const told =
      read.tag === 'message' &&
      read.message.outcome?.meaning === answer.outcome?.meaning &&
      read.message.amountMinor === answer.amountMinor &&
      dueOfBills(read.message.bills ?? []) === dueOfBills(answer.bills ?? [])
    if (told) TOLD.set(pack, (TOLD.get(pack) ?? new Set()).add(alike(answer)))
    return told
  } catch (error) {
    if (!isNadiError(error)) throw error
    return false
  }
}
