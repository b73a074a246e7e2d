import { ZERO } from '#base'
import type { Journal, StoredTxn, TxnRow } from '#journal'
import { type AccountName, book } from '#ledger'
import type { Message } from '#message'
import type { Price } from '#pricing'
import type { Payment } from '#sim'
import type { Ticket } from './shopper.ts'

/**
 * Where two of the three books differ.
 *
 *   lost          paid at the biller, or told paid to the partner, and not paid in the journal
 *   double        paid twice for one request
 *   disagreement  anything else that one says and another does not
 *   open          not final, or still on hold
 */
export type Break = {
  readonly kind: 'lost' | 'double' | 'disagreement' | 'open'
  readonly text: string
}

export type Books = {
  readonly journal: Pick<Journal, 'audit' | 'balances' | 'list' | 'find'>
  /** What the biller believes. */
  readonly biller: Iterable<Payment>
  /** What the partners were told. */
  readonly tickets: readonly Ticket[]
  /** Who sells each product: whose payable account its money goes to. */
  readonly billerOf: (product: string) => string
}

/** What the partner was told, what the biller believes, what the journal and the ledger say. */
export async function compareBooks(books: Books): Promise<Break[]> {
  const breaks: Break[] = []
  const note = (kind: Break['kind'], text: string): void => void breaks.push({ kind, text })
  await auditLedger(books, note)

  const billers = new Map([...books.biller].map(entry => [sentKey(entry), entry]))
  const told = new Map(books.tickets.map(ticket => [ticket.reference.slice(-15), ticket]))
  const expected = new Balances()
  for (const row of await books.journal.list({ kind: 'payment', limit: 1_000_000 })) {
    const stored = await books.journal.find(row.partner, row.id)
    if (!stored) {
      note('lost', `${row.id}: listed, and not found`)
      continue
    }
    if (row.tag === 'paid') expected.add(stored, books.billerOf(row.product))
    compareWithBiller(stored, billers, note)
    compareWithPartner(row, told, note)
  }
  for (const entry of billers.values())
    if (entry.state === 'paid') note('lost', `${entry.trace}: paid at the biller, unknown here`)
  for (const ticket of told.values())
    if (ticket.belief === 'paid') note('lost', `${ticket.reference}: told paid, unknown here`)
    else if (ticket.belief === 'open') note('open', `${ticket.reference}: the partner never heard`)
  await compareMoney(books, expected, note)
  return breaks
}

type Note = (kind: Break['kind'], text: string) => void

async function auditLedger({ journal }: Books, note: Note): Promise<void> {
  const audit = await journal.audit()
  for (const { check, text } of audit.problems) note('disagreement', `audit: ${check}: ${text}`)
  if (audit.openPayments > 0) note('open', `${audit.openPayments} payments are still open`)
  if (audit.heldMinor !== ZERO) note('open', `${audit.heldMinor} is still on hold`)
}

/** Takes out of `billers` what was sent for this payment. */
function compareWithBiller(stored: StoredTxn, billers: Map<string, Payment>, note: Note): void {
  const sents = stored.records.flatMap(({ data }) => (data as { sent?: Message })?.sent ?? [])
  const there = sents.flatMap(sent => billers.get(sentKey(sent)) ?? [])
  for (const sent of sents) billers.delete(sentKey(sent))
  const paid = there.filter(({ state }) => state === 'paid')
  if (paid.length > 1) note('double', `${stored.id}: paid ${paid.length} times at the biller`)
  if (paid.length > 0 && stored.tag !== 'paid')
    note('lost', `${stored.id}: ${stored.tag} here, paid at the biller`)
  if (paid.length === 0 && stored.tag === 'paid')
    note('disagreement', `${stored.id}: paid here, not paid at the biller`)
}

/** Takes out of `told` the ticket of this payment: its key names the inquiry, and so does the reference. */
function compareWithPartner(row: TxnRow, told: Map<string, Ticket>, note: Note): void {
  const inquiry = row.key?.replace(/^payment /, '').toUpperCase()
  const ticket = inquiry === undefined ? undefined : told.get(inquiry.padStart(15, '0'))
  if (!ticket) return
  told.delete(ticket.reference.slice(-15))
  const paid = row.tag === 'paid'
  const words = ticket.told.map(({ to, reason }) => `${to} ${reason}`).join(', ')
  const text = `${row.id}: ${row.tag} here, the partner believes ${ticket.belief} (${words})`
  if (ticket.belief === 'paid' && !paid) note('lost', text)
  else if (ticket.belief === 'not-paid' && paid) note('disagreement', text)
  else if (ticket.belief === 'open')
    note('open', `${row.id}: the partner was never told (${words})`)
}

/** Balances as they must be, from nothing but the paid payments and their prices. */
class Balances {
  readonly #sums = new Map<string, bigint>()

  add({ partner, records }: StoredTxn, biller: string): void {
    const admitted = (records[0]?.data ?? {}) as { price?: Price }
    const { price } = admitted
    if (!price) throw new Error('a paid payment without its price')
    const route = 'link'
    const held = { tag: 'sending', routes: [route], signOns: 0, undo: false } as const
    const steps = [
      ...book({ tag: 'received' }, held, price, biller),
      ...book(held, { tag: 'paid', route }, price, biller),
    ]
    for (const { legs } of steps)
      for (const { account, amountMinor } of legs) {
        const key = `${partner} ${account}`
        this.#sums.set(key, (this.#sums.get(key) ?? 0n) + amountMinor)
      }
  }

  of(partner: string, account: AccountName): bigint {
    return this.#sums.get(`${partner} ${account}`) ?? 0n
  }
}

/** Every payment settled once, and nothing else moved: a posting too many shows here. */
async function compareMoney({ journal }: Books, expected: Balances, note: Note): Promise<void> {
  const balances = await journal.balances()
  const funded = new Map(
    balances
      .filter(({ account }) => account === 'funding')
      .map(({ partner, balanceMinor }) => [partner, balanceMinor]),
  )
  for (const { partner, account, balanceMinor } of balances) {
    if (account === 'funding') continue
    const opening = account === 'deposit' ? 0n - (funded.get(partner) ?? 0n) : 0n
    const wanted = expected.of(partner, account) + opening
    if (balanceMinor !== wanted)
      note('disagreement', `${partner} ${account} is ${balanceMinor}, and should be ${wanted}`)
  }
}

function sentKey({ trace, sentAt }: { readonly trace: string; readonly sentAt: string }): string {
  return `${trace} ${sentAt}`
}
