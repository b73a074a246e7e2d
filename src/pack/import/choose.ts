import type { Body } from './body.ts'
import { kindOf, type Role } from './guess.ts'
import { type Described, type DraftedKind, KINDS_DRAFTED, tidy } from './model.ts'
import type { ImportOptions, Operation } from './model.ts'
import type { Notes } from './notes.ts'

/** An operation that is drafted, as a kind of message, with its bodies mapped. */
export type Chosen = {
  readonly kind: DraftedKind
  readonly operation: Operation
  readonly request: Body
  readonly response: Body
  readonly headers: Body
}

/** What is about the description as a whole. */
const TOP = { line: 1 }

/** Which operation is which kind of message: as it was told, else by its name. */
export function choose(
  { notes, operations }: Described,
  { operations: told = {} }: ImportOptions,
): (readonly [DraftedKind, Operation])[] {
  const chosen = new Map<DraftedKind, Operation>()
  const known = operations.map(({ name }) => tidy(name)).join(', ')
  for (const kind of KINDS_DRAFTED) {
    const name = told[kind]
    if (name === undefined) continue
    const operation = operations.find(one => one.name === name)
    if (!operation)
      return notes.refuse(TOP, `an operation ${tidy(name)} for ${kind}; there are ${known}`)
    chosen.set(kind, operation)
  }
  const taken = new Set(chosen.values())
  for (const operation of operations) {
    if (taken.has(operation)) continue
    const { name } = operation
    const kind = kindOf(name) ?? kindOf(operation.place ?? '')
    const other = kind === undefined || kind === 'reversal' ? undefined : chosen.get(kind)
    if (kind === undefined) {
      const text = `what is "${tidy(name)}" for? Its name does not say; tell it with --operation KIND=${tidy(name)}`
      notes.remark(operation, text)
    } else if (kind === 'reversal') {
      notes.remark(operation, `"${tidy(name)}" undoes payments, and is not drafted`)
    } else if (other) {
      const text = `"${tidy(name)}" looks like ${kind}, which "${tidy(other.name)}" is already`
      notes.remark(operation, text)
    } else {
      chosen.set(kind, operation)
      const text = `"${tidy(name)}" is taken for ${kind} by its name`
      notes.remark(operation, text)
    }
  }
  if (chosen.size === 0) {
    notes.refuse(
      TOP,
      `an operation whose name tells inquiry, payment or status; there are ${known}`,
    )
  }
  return KINDS_DRAFTED.flatMap(kind => {
    const operation = chosen.get(kind)
    return operation ? [[kind, operation] as const] : []
  })
}

/** What a biller's dialect needs, and was not found. */
export function remarkMissing(notes: Notes, chosen: readonly Chosen[]): void {
  const kinds = chosen.map(({ kind }) => kind)
  if (!kinds.includes('payment')) notes.remark(TOP, 'no operation was taken for the payment')
  if (!kinds.includes('inquiry')) {
    notes.remark(TOP, 'no operation was taken for the inquiry: it is bought without asking first')
  }
  if (!kinds.includes('status')) {
    notes.remark(
      TOP,
      'no operation tells what became of a payment: an unanswered one waits for a person',
    )
  }
  for (const { kind, operation, request, response, headers } of chosen) {
    const { name, call } = operation
    const called = `"${tidy(name)}" (${kind})`
    const says = (role: Role) => request.roles.has(role) || headers.roles.has(role)
    if (!says('customer') && !call.includes('{customer.id}'))
      notes.remark(operation, `which field of ${called} is the customer's number?`)
    if (!says('own') && !call.includes('{reference.own}'))
      notes.remark(
        operation,
        `which field of ${called} is our reference, which finds a payment again?`,
      )
    if (!response.outcome)
      notes.remark(operation, `where does the answer of ${called} tell its code?`)
    if (kind === 'inquiry' && !response.roles.has('amount') && !response.roles.has('total'))
      notes.remark(operation, `which field of the answer of ${called} is the amount?`)
  }
  const code = chosen.find(({ response }) => response.outcome)?.response.outcome
  if (code) notes.remark(code.field, 'what each code means is not described: fill in `codes`')
}
