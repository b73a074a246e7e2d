import type { Answer, LinkOutcome } from '#link'
import type { Message, Outcome } from '#message'
import { beside, detailsOf } from './compose.ts'
import { answersTo, type Destination } from './destination.ts'
import type { Entry } from './payment.ts'

/** How an attempt to send the payment ended, as an event (law 2). */
export function paymentEnded(
  destination: Destination,
  sent: Message,
  outcome: LinkOutcome<Message>,
): Entry {
  switch (outcome.tag) {
    case 'not-sent':
      // What is no PIN is told like a wrong one: the difference helps who is guessing.
      if (outcome.why === 'pin')
        return { name: 'pin-refused', event: { tag: 'declined', reason: 'pin-wrong' } }
      return { name: 'not-sent', event: { tag: 'not-sent' }, data: { why: outcome.why } }
    case 'sent-no-answer':
      return { name: outcome.why, event: { tag: 'silence', why: outcome.why } }
    case 'answered': {
      const frames = [destination.evidence('in', outcome.frame)]
      return { ...paymentAnswered(sent, saidTo(sent, outcome)), frames }
    }
  }
}

function paymentAnswered(sent: Message, answer: Message): Entry {
  const outcome = answer.outcome as Outcome
  const data = { outcome }
  switch (outcome.meaning) {
    case 'approved':
      return answersTo(sent, answer)
        ? { name: 'approved', event: { tag: 'approved' }, data, details: detailsOf(sent, answer) }
        : { name: 'mismatched', event: { tag: 'unclear' }, data }
    case 'declined':
      return { name: 'declined', event: { tag: 'declined', reason: outcome.reason }, data }
    case 'sign-on':
      return { name: 'sign-on-required', event: { tag: 'sign-on-required' }, data }
    case 'unknown':
    case 'stands':
    case 'nothing':
      return { name: 'unclear', event: { tag: 'unclear' }, data }
  }
}

function saidTo(sent: Message, { content, alone }: Answer<Message>): Message {
  return alone ? beside(sent, content) : content
}

/** An answer to the payment that came when nobody waited any more. */
export function lateAnswer(sent: Message, answer: Answer<Message>): Entry {
  const entry = paymentAnswered(sent, saidTo(sent, answer))
  switch (entry.event?.tag) {
    case 'approved':
      return { ...entry, name: 'late-approved', event: { tag: 'late-approved' } }
    case 'declined':
      return { ...entry, name: 'late-declined', event: { ...entry.event, tag: 'late-declined' } }
    default:
      return { name: 'late-unclear', ...(entry.data && { data: entry.data }) }
  }
}

/** How one reversal, advice or status check ended. */
export function askEnded(
  destination: Destination,
  asked: Message,
  outcome: LinkOutcome<Message>,
): Entry {
  switch (outcome.tag) {
    case 'not-sent':
      return { name: 'ask-not-sent', event: { tag: 'ask-not-sent' }, data: { why: outcome.why } }
    case 'sent-no-answer':
      return { name: `ask-${outcome.why}`, event: { tag: 'ask-silence' } }
    case 'answered': {
      const frames = [destination.evidence('in', outcome.frame)]
      return { ...askAnswered(asked, outcome.content), frames }
    }
  }
}

/** What the answer to a reversal, advice or status check says of the payment. */
export function askAnswered(asked: Message, answer: Message): Entry {
  const outcome = answer.outcome as Outcome
  const data = { outcome }
  switch (outcome.meaning) {
    case 'approved':
      if (!answersTo(asked, answer)) break
      return asked.kind === 'reversal'
        ? { name: 'undone', event: { tag: 'undone' }, data }
        : { name: 'stands', event: { tag: 'stands' }, data, details: detailsOf(asked, answer) }
    case 'stands':
      return { name: 'stands', event: { tag: 'stands', refused: true }, data }
    case 'nothing':
      return { name: 'nothing', event: { tag: 'nothing' }, data }
    case 'sign-on':
      return { name: 'ask-sign-on-required', event: { tag: 'ask-sign-on-required' }, data }
    case 'declined':
    case 'unknown':
      break
  }
  return { name: 'ask-unclear', event: { tag: 'ask-unclear' }, data }
}
