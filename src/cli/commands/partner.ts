import type { Command } from 'commander'
import { formatMoney } from '#base'
import type { DepositView, PartnerView, ProductView } from '#admin'
import { amount } from '../parse.ts'
import type { Act } from '../program.ts'
import { printTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { partnerKeyCommand } from './partner-key.ts'
import { formatAge } from '../words.ts'

type DepositOptions = { readonly reason: string; readonly by?: string; readonly key?: string }

export function partnerCommand(program: Command, act: Act): void {
  const partner = program.command('partner').description('partners, their deposits and their keys')
  partnerKeyCommand(partner, act)
  partner
    .command('list')
    .description('every partner with its deposit')
    .addHelpText('after', '\nExample:\n  $ nadi partner list')
    .action(
      act(async context => {
        const { partners } = await (
          await context.admin()
        ).get<{ partners: PartnerView[] }>('/v1/partners')
        const { terminal } = context
        const money = (value: PartnerView['depositMinor']): string =>
          value === null ? '?' : formatMoney(value)
        context.print(partners, () =>
          printTable(
            terminal,
            partners,
            [
              { title: 'PARTNER', text: row => row.id },
              { title: 'NAME', text: row => row.name },
              { title: 'DEPOSIT', right: true, text: row => money(row.depositMinor) },
              { title: 'ON HOLD', right: true, text: row => money(row.holdMinor) },
              { title: 'COMMISSION', right: true, text: row => money(row.commissionMinor) },
              { title: 'BANKS', text: row => row.banks.join(' ') },
              {
                title: '',
                text: row => (row.blocked ? 'blocked' : ''),
                brush: () => terminal.paint.red,
              },
            ],
            'No partners.',
          ),
        )
      }),
    )
  partner
    .command('deposit')
    .argument('<partner>', 'its id')
    .argument('<amount>', "Rp 1.000.000 or 1000000; after '--' a negative one takes back")
    .description("top up a partner's deposit, when its money has come into the bank")
    .requiredOption('--reason <text>', 'the transfer that it came by; it goes on record')
    .option('--by <name>', 'who books it; the user of this process by default')
    .option('--key <text>', 'the same key is booked once, however often it is sent')
    .addHelpText(
      'after',
      "\nExample:\n  $ nadi partner deposit 4519001 'Rp 50.000.000' --reason 'transfer BCA 20/11' --key bca-77120",
    )
    .action(
      act(async (context, id: string, text: string, options: DepositOptions) => {
        if (!/^[A-Za-z0-9-]{1,40}$/.test(id)) throw new UsageError(`no partner id: ${id}`)
        const { reason, key, by = context.whoami() } = options
        const body = {
          amountMinor: await amount(text),
          reason,
          by,
          ...(key !== undefined && { key }),
        }
        const done = await (
          await context.admin()
        ).post<DepositView>(`/v1/partners/${id}/deposits`, body)
        context.print(done, () => {
          const { out, paint } = context.terminal
          const what =
            done.result === 'booked'
              ? paint.green(`Booked ${formatMoney(done.amountMinor)}.`)
              : paint.yellow('Booked before under this key; nothing moved.')
          out(`${what} The deposit of ${done.partner} is ${formatMoney(done.depositMinor)}.`)
        })
      }),
    )
}

export function productCommand(program: Command, act: Act): void {
  const product = program.command('product').description('what is sold')
  product
    .command('list')
    .description('every product, and how an unanswered payment of it is found out')
    .addHelpText('after', '\nExample:\n  $ nadi product list')
    .action(
      act(async context => {
        const { products } = await (
          await context.admin()
        ).get<{ products: ProductView[] }>('/v1/products')
        context.print(products, () =>
          printTable(
            context.terminal,
            products,
            [
              { title: 'PRODUCT', text: row => row.code },
              { title: 'TITLE', text: row => row.title },
              { title: 'BILLER', text: row => row.biller },
              { title: 'LINKS', text: row => row.links.join(' ') },
              { title: 'FEE', right: true, text: row => formatMoney(row.adminPerBillMinor) },
              { title: 'ANSWER IN', right: true, text: row => formatAge(row.answerTimeoutMs) },
              { title: 'ELSE', text: row => `${row.recovery} ${row.attemptsMax}x` },
              { title: '', text: row => (row.enabled ? '' : 'not sold') },
            ],
            'No products.',
          ),
        )
      }),
    )
}
