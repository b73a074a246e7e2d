import { z } from 'zod'
import { CODE_CHARS_MAX } from '#qris'
import { PROBLEM_CODES } from './problem.ts'

/**
 * What comes in and goes out, once: requests are checked by these, answers are typed by them, and
 * the OpenAPI document is made of them. Every object is strict: a field that nobody reads is a
 * mistake that nobody would notice.
 */
export const SCHEMAS = z.registry<{ id: string; description?: string }>()

function named<S extends z.ZodType>(id: string, schema: S, description: string): S {
  SCHEMAS.add(schema, { id, description })
  return schema
}

/** As dictionaries have it: visible characters and blanks. */
const text = (lengthMax: number) =>
  z
    .string()
    .min(1)
    .max(lengthMax)
    .regex(/^[ -~\u00a0-\uffff]*$/u, 'holds control characters')
const code = (lengthMax: number) =>
  z.string().regex(new RegExp(`^[0-9A-Za-z]{1,${lengthMax}}$`), 'expected letters and digits')
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
const month = z.string().regex(/^\d{4}-\d{2}$/)
const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
const productCode = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'expected a product code')
const txnId = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{12}$/)

// ── money ────────────────────────────────────────────────────────────────────────────────────

const currency = z.literal('IDR')
export const moneySchema = named(
  'Money',
  z.strictObject({
    value: z
      .string()
      .regex(/^(0|[1-9]\d{0,14})\.\d{2}$/, 'expected a string like "260500.00", two decimals'),
    currency,
  }),
  'An exact amount, never negative: a decimal string with two decimals, and its ISO 4217 currency.',
)
const signedMoney = named(
  'SignedMoney',
  z.strictObject({ value: z.string().regex(/^-?(0|[1-9]\d{0,14})\.\d{2}$/), currency }),
  'The same, and it may be negative: a credit to the customer.',
)

// ── requests ─────────────────────────────────────────────────────────────────────────────────

const secondId = text(32)
  .optional()
  .describe('A second number where the biller wants one: zone, tax year, area')
const phone = z
  .string()
  .regex(/^\d{6,15}$/)
  .optional()
  .describe("The payer's telephone")

const customerAsked = named(
  'CustomerAsked',
  z.union([
    z.strictObject({ id: code(32).describe('Subscriber number'), secondId, phone }),
    z.strictObject({ meter: code(32).describe('Meter serial number'), secondId, phone }),
    z.strictObject({ registration: code(32).describe('Registration number'), secondId, phone }),
  ]),
  'The one number that the customer goes by.',
)

const terminal = code(16)
  .optional()
  .describe('The counter it comes from, one of your terminals; your own default without it')

const qrAsked = named(
  'QrAsked',
  z.strictObject({
    content: text(CODE_CHARS_MAX).describe('The QRIS code as it was scanned'),
    tip: moneySchema.optional().describe('Where the code asks the payer for one'),
    customerPan: z
      .string()
      .regex(/^9360\d{15}$/, 'expected 9360 and 15 more digits')
      .optional()
      .describe("The payer's PAN at its issuer, 19 digits; some billers want it"),
    customerName: z
      .string()
      .regex(/^[ -~]{1,30}$/, 'expected 1 to 30 characters of ASCII')
      .optional()
      .describe("The payer's name; some billers want it"),
  }),
  'What the payer scanned, and who pays.',
)

export const inquirySchema = named(
  'InquiryRequest',
  z.strictObject({
    product: productCode,
    customer: customerAsked.optional(),
    terminal,
    months: z.int().min(1).max(24).optional().describe('Months to be paid at once'),
    amount: moneySchema.optional().describe('Where the asker decides it: transfers, open QR codes'),
    transfer: z
      .strictObject({ bank: code(11).optional(), account: code(34), remark: text(40).optional() })
      .optional(),
    qr: qrAsked.optional(),
  }),
  'What does this customer owe? Moves no money.',
)

export const paymentSchema = named(
  'PaymentRequest',
  z.strictObject({
    inquiry: z
      .string()
      .regex(/^([0-9A-HJKMNP-TV-Z]{12}|[A-Z]{3}\d{14}[0-9A-F]{15})$/, 'expected an inquiry')
      .describe('Its id, or its reference of 32 characters, wherever the inquiry was made'),
    amount: moneySchema.describe('As the inquiry told it, or what is bought; without the fee'),
    bills: z.int().min(1).max(99).optional().describe('How many bills, oldest first; else all'),
    option: z.int().min(0).max(2).optional().describe('Tokens: 0 a new one, 1 or 2 an unsold one'),
    terminal,
  }),
  'Pays what one inquiry told. One inquiry carries one payment, by whichever way it comes.',
)

export const reversalSchema = named(
  'ReversalRequest',
  z.strictObject({ reason: text(200).optional() }),
  'Takes a payment back, where the product allows and in its time.',
)

// ── answers ──────────────────────────────────────────────────────────────────────────────────

const customerTold = named(
  'Customer',
  z.strictObject({
    id: z.string().optional(),
    meter: z.string().optional(),
    secondId: z.string().optional(),
    phone: z.string().optional(),
    name: z.string().optional(),
    address: z.string().optional(),
    tariff: z.string().optional(),
    powerVa: z.int().optional(),
    unit: z.string().optional(),
    unitPhone: z.string().optional(),
  }),
  'Whoever owes, as far as the biller tells.',
)

const reading = z.strictObject({ from: z.string(), to: z.string() })
const billSchema = named(
  'Bill',
  z.strictObject({
    period: month,
    dueDate: date.optional(),
    amount: moneySchema,
    penalty: moneySchema.optional(),
    incentive: signedMoney.optional(),
    vat: moneySchema.optional(),
    other: moneySchema.optional(),
    due: moneySchema.describe('Amount and penalty together'),
    offPeak: reading.optional(),
    peak: reading.optional(),
    reactive: reading.optional(),
    reading: reading.optional(),
  }),
  'One month.',
)

const registrationSchema = named(
  'Registration',
  z.strictObject({
    number: z.string(),
    code: z.string().optional(),
    name: z.string().optional(),
    registeredOn: date.optional(),
    expiresOn: date.optional(),
  }),
  'A bill of another kind: a connection fee, a change of power.',
)

const shared = {
  product: productCode,
  customer: customerTold.optional(),
  registration: registrationSchema.optional(),
  bills: z.array(billSchema).optional(),
  billsOutstanding: z.int().optional().describe('All that the customer owes, told here or not'),
  details: z.array(z.strictObject({ label: z.string(), text: z.string() })).optional(),
  transfer: z
    .strictObject({
      bank: z.string().optional(),
      account: z.string(),
      name: z.string().optional(),
      remark: z.string().optional(),
    })
    .optional(),
  merchant: z
    .strictObject({ name: z.string().optional(), city: z.string().optional() })
    .optional()
    .describe('Of a QR code'),
  tip: moneySchema.optional().describe('Part of the amount'),
  reference: z.string().describe("The switch's own reference, 32 characters"),
  billerReference: z.string().optional(),
  info: z.string().optional().describe('To be printed under the receipt'),
}

export const inquiryToldSchema = named(
  'Inquiry',
  z.strictObject({
    id: txnId,
    createdAt: time,
    ...shared,
    amount: moneySchema.optional().describe('What is due for all bills told; without the fee'),
    fee: moneySchema.describe('The admin fee of all bills told, or of one purchase'),
    total: moneySchema.optional(),
    token: z
      .strictObject({
        kwhMax: z.int().optional(),
        unsold: z
          .array(moneySchema)
          .optional()
          .describe('Bought but never delivered; `option` of the payment names one, from 1'),
      })
      .optional(),
  }),
  'What is owed. It may be paid until the business date ends.',
)

export const PAYMENT_STATES = ['pending', 'paid', 'reversing', 'declined', 'reversed'] as const

const tokenSchema = named(
  'Token',
  z.strictObject({
    number: z.string().optional().describe('The 20 digits to be typed into the meter'),
    kwh: z
      .string()
      .regex(/^\d+\.\d{2}$/)
      .optional(),
    stampDuty: moneySchema.optional(),
    vat: moneySchema.optional(),
    lightingTax: moneySchema.optional(),
    installment: moneySchema.optional(),
    energy: moneySchema.optional(),
  }),
  'An electricity token.',
)

export const paymentToldSchema = named(
  'Payment',
  z.strictObject({
    id: txnId,
    inquiry: txnId,
    state: z
      .enum(PAYMENT_STATES)
      .describe(
        '`pending`: not known yet, keep the customer waiting or look again. `paid`, `declined` and `reversed` are final; only your own reversal makes a paid one `reversing`, and then `reversed`.',
      ),
    reason: z.string().optional().describe('Why it was declined: the code of a problem'),
    createdAt: time,
    ...shared,
    billsPaid: z.int().optional(),
    amount: moneySchema,
    fee: moneySchema,
    total: moneySchema,
    settlementDate: date.optional(),
    token: tokenSchema.optional(),
    serial: z.string().optional().describe('The voucher or serial number that was delivered'),
    receiptNumber: z.string().optional(),
  }),
  'One payment.',
)

const productSchema = z.strictObject({
  code: productCode,
  title: z.string(),
  biller: z.string(),
  fee: moneySchema.describe('For each bill, or for one purchase'),
  minimum: moneySchema,
  maximum: moneySchema,
  denominations: z.array(moneySchema).optional().describe('What may be bought; else as billed'),
  hours: z
    .strictObject({ from: z.string(), until: z.string() })
    .optional()
    .describe('WIB; a window may pass midnight'),
  reversalWindowSeconds: z.int().describe('How long you may take a payment back; 0: never'),
})
export const productsToldSchema = named(
  'Products',
  z.strictObject({ products: z.array(productSchema) }),
  'What you may sell.',
)

export const balanceToldSchema = named(
  'Balance',
  z.strictObject({ deposit: moneySchema, onHold: moneySchema, commission: moneySchema }),
  'Your money with us: free, held for payments under way, and earned.',
)

export const receiptToldSchema = named(
  'Receipt',
  z.strictObject({
    payment: txnId,
    title: z.string(),
    reprint: z.boolean(),
    parts: z.array(
      z.union([
        z.strictObject({ label: z.string(), text: z.string() }),
        z.strictObject({ label: z.string(), amount: moneySchema }),
        z.strictObject({ sentence: z.string() }),
      ]),
    ),
  }),
  'The lines of a receipt (struk), in order.',
)

export const problemSchema = named(
  'Problem',
  z.strictObject({
    type: z.string().describe('`urn:nadi:problem:CODE`; it never changes its meaning'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(PROBLEM_CODES as [string, ...string[]]),
    errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
    payment: txnId.optional().describe('The payment that was begun and is not paid'),
  }),
  'Why it was not done (RFC 9457).',
)

export const webhookSchema = named(
  'WebhookEvent',
  z.strictObject({
    type: z.enum(['payment.paid', 'payment.declined', 'payment.reversed']),
    timestamp: time.describe('When the payment came to this end'),
    data: z.strictObject({
      payment: txnId,
      inquiry: txnId,
      reference: z.string(),
      state: z.enum(['paid', 'declined', 'reversed']),
      product: productCode,
      amount: moneySchema,
      fee: moneySchema,
      total: moneySchema,
    }),
  }),
  'A payment came to its end. Names, numbers and tokens are not in it: fetch the payment.',
)

export type InquiryRequest = z.output<typeof inquirySchema>
export type PaymentRequest = z.output<typeof paymentSchema>
export type InquiryTold = z.output<typeof inquiryToldSchema>
export type PaymentTold = z.output<typeof paymentToldSchema>
export type PaymentState = (typeof PAYMENT_STATES)[number]
export type BillTold = z.output<typeof billSchema>
export type WebhookBody = z.output<typeof webhookSchema>
export type ReceiptTold = z.output<typeof receiptToldSchema>
