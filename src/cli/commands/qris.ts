import { Command } from 'commander'
import { type AmountMinor, formatMoney, minor } from '#base'
import { maskValue } from '#message'
import { CRITERIA, makeQris, type QrisCode, type QrisTip, readQris } from '#qris'
import type { Context } from '../context.ts'
import { amount } from '../parse.ts'
import type { Act } from '../program.ts'
import { printTable } from '../table.ts'
import { UsageError } from '../usage.ts'

export function qrisCommand(program: Command, act: Act): void {
  const qris = program.command('qris').description('QRIS codes: read one, make one')
  qris
    .command('decode')
    .description('what a code says, its checksum proved; numbers of people are masked')
    .argument('[code]', 'its text; standard input when it is missing')
    .option('--unsafe', 'merchant numbers and telephones in clear')
    .addHelpText('after', DECODE)
    .action(
      act(async (context, given: string | undefined, { unsafe }: { unsafe?: boolean }) => {
        const text = given ?? (await context.terminal.readAll(INPUT_BYTES_MAX))
        const code = readQris(text.replace(/\r?\n$/, ''))
        printCode(context, unsafe ? code : maskedCode(code))
      }),
    )
  qris
    .command('make')
    .description('a code of a merchant: static, or dynamic when it has an amount')
    .requiredOption('--name <name>', "the merchant's name")
    .requiredOption('--city <city>', 'its city')
    .requiredOption('--postal <code>', 'its postal code')
    .requiredOption('--category <mcc>', 'its category, ISO 18245')
    .requiredOption('--domain <name>', 'the acquirer, as a reversed domain name')
    .requiredOption('--pan <digits>', 'the merchant PAN')
    .requiredOption('--nmid <id>', 'the national merchant id')
    .option('--mid <id>', "the acquirer's own merchant id")
    .option('--criteria <word>', CRITERIA.join(', '))
    .option('--amount <amount>', 'what is to be paid')
    .option('--tip <tip>', 'ask, an amount, or a percentage such as 5%')
    .option('--bill <number>', 'the bill')
    .option('--terminal <label>', 'the terminal')
    .addHelpText('after', MAKE)
    .action(
      act(async (context, options: MakeOptions) => {
        const text = makeQris(await codeOf(options))
        context.print({ code: text }, () => context.terminal.out(text))
      }),
    )
}

/** A code has at most 512 characters. */
const INPUT_BYTES_MAX = 4096

const DECODE = `
Example:
  $ nadi qris decode 00020101021226…6304865F`
const MAKE = `
Example:
  $ nadi qris make --name 'WARUNG CONTOH' --city JAKARTA --postal 10110 --category 5411 \\
      --domain ID.CO.CONTOH.WWW --pan 936099990000000015 --nmid ID1099999999999 --amount 25000`

type MakeOptions = {
  readonly name: string
  readonly city: string
  readonly postal: string
  readonly category: string
  readonly domain: string
  readonly pan: string
  readonly nmid: string
  readonly mid?: string
  readonly criteria?: string
  readonly amount?: string
  readonly tip?: string
  readonly bill?: string
  readonly terminal?: string
}

const NATIONAL = 'ID.CO.QRIS.WWW'
const FIRST_ACCOUNT = '26'

async function codeOf(options: MakeOptions): Promise<QrisCode> {
  const { name, city, postal, category, domain, pan, nmid, mid, bill, terminal } = options
  const criteria = CRITERIA.find(one => one === options.criteria)
  if (options.criteria !== undefined && !criteria)
    throw new UsageError(`no criteria: ${options.criteria}; there are ${CRITERIA.join(', ')}`)
  const amountMinor = options.amount === undefined ? undefined : await amount(options.amount)
  const tip = options.tip === undefined ? undefined : await tipOf(options.tip)
  const own = mid === undefined ? {} : { merchantId: mid }
  const size = criteria && { criteria }
  const additional = {
    ...(bill !== undefined && { bill }),
    ...(terminal !== undefined && { terminal }),
  }
  return {
    use: amountMinor === undefined ? 'static' : 'dynamic',
    accounts: [{ id: FIRST_ACCOUNT, domain, pan, ...own, ...size }],
    national: { domain: NATIONAL, merchantId: nmid, ...size },
    category,
    ...(amountMinor !== undefined && { amountMinor }),
    ...(tip && { tip }),
    name,
    city,
    postalCode: postal,
    ...(Object.keys(additional).length > 0 && { additional }),
  }
}

async function tipOf(text: string): Promise<QrisTip> {
  if (text === 'ask') return { tag: 'asked' }
  const [, whole, part = ''] = /^(\d{1,2})(?:[.,](\d{1,2}))?%$/.exec(text) ?? []
  if (whole === undefined) return { tag: 'fixed', amountMinor: await amount(text) }
  return { tag: 'percent', hundredths: Number(whole) * 100 + Number(part.padEnd(2, '0')) }
}

/** As the dictionary of messages masks the same values. */
function maskedCode(code: QrisCode): QrisCode {
  const accounts = code.accounts.map(({ pan, ...account }) => ({
    ...account,
    ...(pan !== undefined && { pan: maskValue('partial', pan) }),
  }))
  const { mobile, ...additional } = code.additional ?? {}
  const hidden = mobile === undefined ? {} : { mobile: maskValue('partial', mobile) }
  return { ...code, accounts, ...(code.additional && { additional: { ...additional, ...hidden } }) }
}

type Row = readonly [name: string, value: string]

function printCode(context: Context, code: QrisCode): void {
  context.print(code, () => {
    printTable(
      context.terminal,
      rowsOf(code),
      [
        { title: 'what', text: ([name]) => name },
        { title: 'value', text: ([, value]) => value },
      ],
      'nothing',
    )
  })
}

/** One row a value, named by its way through the code: `accounts.0.pan`. */
function rowsOf(value: unknown, path = ''): Row[] {
  if (typeof value !== 'object' || value === null) return [[path, wordOf(value)]]
  return Object.entries(value).flatMap(([key, item]) =>
    rowsOf(item, path === '' ? key : `${path}.${key}`),
  )
}

function wordOf(value: unknown): string {
  return typeof value === 'bigint' ? formatMoney(minor(value) satisfies AmountMinor) : String(value)
}
