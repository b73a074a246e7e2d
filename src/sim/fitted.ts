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
  if (tells(pack, answer, asked)) return answer
  const folded = bills.map(bill => ({ ...bill, amountMinor: dueOfBill(bill), penaltyMinor: ZERO }))
  return { ...answer, bills: folded }
}

/** What is written is read as what it was. */
function tells(pack: HttpPack, answer: Message, asked: Message): boolean {
  try {
    const read = pack.readAnswer(pack.write(answer, asked), asked)
    return (
      read.tag === 'message' &&
      read.message.outcome?.meaning === answer.outcome?.meaning &&
      read.message.amountMinor === answer.amountMinor &&
      dueOfBills(read.message.bills ?? []) === dueOfBills(answer.bills ?? [])
    )
  } catch (error) {
    if (!isNadiError(error)) throw error
    return false
  }
}
