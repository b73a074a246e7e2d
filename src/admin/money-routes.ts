import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isNadiError, NadiError, ZERO } from '#base'
import type { Balance } from '#journal'
import type { AccountName } from '#ledger'
import type { AuditView, DepositView, PartnerView } from './api.ts'
import { performAct } from './acts.ts'
import { BALANCES_QUERY, checked, DEPOSIT_BODY } from './input.ts'
import type { AdminParts, PartnerFile } from './parts.ts'

/** Partners, their deposits, and the ledger. */
export function moneyRoutes(app: FastifyInstance, parts: AdminParts): void {
  const { journal } = parts
  app.get('/v1/partners', async () => ({ partners: await partnerViews(parts) }))
  app.post('/v1/partners/:id/deposits', request => deposit(parts, request))

  app.get('/v1/ledger/balances', async ({ query }) => {
    const { partner } = checked(BALANCES_QUERY, query)
    return { balances: await journal.balances(partner) }
  })

  // It walks through every posting: one at a time is enough, and whoever asks meanwhile shares it.
  let auditing: Promise<AuditView> | undefined
  app.get('/v1/ledger/audit', () => {
    auditing ??= audit(parts).finally(() => {
      auditing = undefined
    })
    return auditing
  })
}

async function audit({ journal }: AdminParts): Promise<AuditView> {
  const report = await journal.audit()
  return { ...report, agrees: report.problems.length === 0 }
}

async function deposit(parts: AdminParts, request: FastifyRequest): Promise<DepositView> {
  const { id: partner } = request.params as { id: string }
  const { amountMinor, by, reason, key } = checked(DEPOSIT_BODY, request.body)
  if (!parts.partners.has(partner)) throw new NadiError('PARTNER_NOT_FOUND')
  const detail = { amountMinor, ...(key !== undefined && { key }) }
  const act = { act: 'partner.deposit', subject: partner, by, reason, detail }
  return performAct(parts, request, act, async () => {
    const result = await parts.switch.deposit(partner, amountMinor, by, reason, key)
    const balances = await parts.journal.balances(partner)
    const depositMinor = amountOf(balances, 'deposit')
    if (result === 'insufficient-funds')
      throw new NadiError('DEPOSIT_INSUFFICIENT', { path: partner, actual: `${depositMinor} sen` })
    return { partner, amountMinor, result, depositMinor }
  })
}

async function partnerViews({ journal, partners }: AdminParts): Promise<PartnerView[]> {
  let balances: Map<string, Balance[]> | undefined
  try {
    balances = Map.groupBy(await journal.balances(), ({ partner }) => partner)
  } catch (error) {
    if (!isNadiError(error, 'JOURNAL_UNAVAILABLE')) throw error
  }
  return [...partners.values()].map(partner =>
    partnerView(partner, balances && (balances.get(partner.id) ?? [])),
  )
}

function partnerView(partner: PartnerFile, balances: Balance[] | undefined): PartnerView {
  const { id, name, blocked, banks, switchers, terminals, products } = partner
  return {
    id,
    name,
    blocked,
    banks: [...banks],
    switchers: [...switchers],
    terminals: [...terminals],
    products: [...products],
    depositMinor: balances ? amountOf(balances, 'deposit') : null,
    holdMinor: balances ? amountOf(balances, 'hold') : null,
    commissionMinor: balances ? amountOf(balances, 'commission') : null,
  }
}

function amountOf(balances: readonly Balance[], account: AccountName): Balance['balanceMinor'] {
  return balances.find(balance => balance.account === account)?.balanceMinor ?? ZERO
}
