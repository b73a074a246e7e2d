import type { z } from 'zod'
import type { ApiAnswer } from './answer.ts'
import type { Ask } from './exchange.ts'
import { getInquiry, postInquiry } from './inquiries.ts'
import type { Stamps } from './message.ts'
import type { ApiParts } from './parts.ts'
import { getPayment, postPayment, postReversal } from './payments.ts'
import type { ProblemCode } from './problem.ts'
import { getReceipt } from './receipts.ts'
import * as schemas from './schemas.ts'
import { getBalance, getProducts } from './shop.ts'

/** One route, once: the server registers it and the OpenAPI document tells it. */
export type Route = {
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** As the document writes it: `/v1/payments/{id}`. */
  readonly path: string
  readonly summary: string
  readonly description: string
  readonly request?: { readonly schema: z.ZodType; readonly required: boolean }
  readonly headers?: readonly Parameter[]
  readonly query?: readonly Parameter[]
  readonly answers: Readonly<Record<number, Told>>
  /** What it may say no with, beside what every request may get. */
  readonly problems: readonly ProblemCode[]
  readonly run: (parts: ApiParts, ask: Ask, stamps: Stamps) => Promise<ApiAnswer>
}

export type Parameter = {
  readonly name: string
  readonly required: boolean
  readonly text: string
  readonly schema: Readonly<Record<string, unknown>>
}

type Told = {
  readonly text: string
  readonly schema: z.ZodType
  /** Other forms of the same, by their media types. */
  readonly also?: readonly string[]
  readonly location?: boolean
}

const PREFER: Parameter = {
  name: 'Prefer',
  required: false,
  text: '`wait=N`: answer after N seconds at the latest (RFC 7240)',
  schema: { type: 'string' },
}

const DECLINES = [
  'deposit-insufficient',
  'amount-invalid',
  'fee-invalid',
  'below-minimum',
  'above-maximum',
  'over-quota',
  'already-paid',
  'already-reversed',
  'reference-mismatch',
  'biller-reference-invalid',
  'party-mismatch',
  'no-inquiry',
  'no-payment',
  'other-error',
] as const satisfies readonly ProblemCode[]

const UNAVAILABLE = ['unavailable', 'timeout', 'cut-off', 'window-closed'] as const

const ABOUT_CUSTOMERS = [
  'customer-unknown',
  'registration-unknown',
  'customer-blocked',
  'inactive',
  'suspended',
  'registration-expired',
  'not-available-yet',
  'already-paid',
  'product-unknown',
  'format-error',
  'security-invalid',
  'sign-on-required',
] as const satisfies readonly ProblemCode[]

/** Where the asker says how much. */
const ABOUT_AMOUNTS = ['amount-invalid', 'below-minimum', 'above-maximum'] as const

const WHO = ['bank-unknown', 'partner-unknown', 'party-mismatch'] as const

export const ROUTES: readonly Route[] = [
  {
    name: 'createInquiry',
    method: 'POST',
    path: '/v1/inquiries',
    summary: 'Ask what a customer owes',
    description:
      'Asks the biller, or reads the QR code that the customer scanned. Moves no money; ask as often as you like.',
    request: { schema: schemas.inquirySchema, required: true },
    headers: [PREFER],
    answers: { 201: { text: 'What is owed', schema: schemas.inquiryToldSchema, location: true } },
    problems: [...ABOUT_CUSTOMERS, ...ABOUT_AMOUNTS, ...WHO, ...UNAVAILABLE, 'other-error'],
    run: (parts, ask, stamps) => postInquiry(parts, stamps, ask),
  },
  {
    name: 'getInquiry',
    method: 'GET',
    path: '/v1/inquiries/{id}',
    summary: 'Look at an inquiry again',
    description: 'As it was answered; the biller is not asked.',
    answers: { 200: { text: 'What was owed', schema: schemas.inquiryToldSchema } },
    problems: ['no-inquiry', 'unavailable'],
    run: getInquiry,
  },
  {
    name: 'createPayment',
    method: 'POST',
    path: '/v1/payments',
    summary: 'Pay what an inquiry told',
    description:
      'Send the same request with the same Idempotency-Key as often as you need: it is paid once, and the answer is the same. 202 means that the outcome is not known yet: neither pay otherwise nor tell the customer no; look at the Location until the state is final.',
    request: { schema: schemas.paymentSchema, required: true },
    headers: [
      {
        name: 'Idempotency-Key',
        required: true,
        text: 'Your own name of this payment; 1 to 64 visible characters',
        schema: { type: 'string', pattern: '^[!-~]{1,64}$' },
      },
      PREFER,
    ],
    answers: {
      201: { text: 'Paid', schema: schemas.paymentToldSchema, location: true },
      202: { text: 'Not known yet', schema: schemas.paymentToldSchema, location: true },
    },
    problems: [
      ...DECLINES,
      ...ABOUT_CUSTOMERS,
      ...WHO,
      ...UNAVAILABLE,
      'idempotency-key-missing',
      'idempotency-key-reused',
    ],
    run: (parts, ask) => postPayment(parts, ask),
  },
  {
    name: 'getPayment',
    method: 'GET',
    path: '/v1/payments/{id}',
    summary: 'Look at a payment',
    description: 'As it stands now.',
    answers: { 200: { text: 'The payment', schema: schemas.paymentToldSchema } },
    problems: ['unavailable'],
    run: getPayment,
  },
  {
    name: 'createReversal',
    method: 'POST',
    path: '/v1/payments/{id}/reversals',
    summary: 'Take a payment back',
    description:
      'Where the product has a reversal window and it is not over. Bears repeating: a payment is reversed once.',
    request: { schema: schemas.reversalSchema, required: false },
    headers: [PREFER],
    answers: {
      200: { text: 'Reversed', schema: schemas.paymentToldSchema },
      202: { text: 'Not known yet', schema: schemas.paymentToldSchema, location: true },
    },
    problems: [
      'too-late-to-reverse',
      'no-payment',
      'reference-mismatch',
      'amount-invalid',
      'party-mismatch',
      'unavailable',
      'timeout',
    ],
    run: (parts, ask, stamps) => postReversal(parts, stamps, ask),
  },
  {
    name: 'getReceipt',
    method: 'GET',
    path: '/v1/payments/{id}/receipt',
    summary: 'The receipt of a paid payment',
    description: 'JSON, text for thermal printers, or PDF: by Accept, or by `format`.',
    query: [
      {
        name: 'format',
        required: false,
        text: 'Counts more than Accept',
        schema: { type: 'string', enum: ['json', 'text', 'pdf'] },
      },
      {
        name: 'width',
        required: false,
        text: 'Columns of text: 32 for paper of 58 mm, 48 for 80 mm',
        schema: { type: 'string', enum: ['32', '48'] },
      },
      {
        name: 'reprint',
        required: false,
        text: 'Marks it as printed again (CU)',
        schema: { type: 'string', enum: ['true', 'false'] },
      },
    ],
    answers: {
      200: {
        text: 'The receipt',
        schema: schemas.receiptToldSchema,
        also: ['text/plain', 'application/pdf'],
      },
    },
    problems: ['not-paid', 'not-acceptable', 'unavailable'],
    run: getReceipt,
  },
  {
    name: 'getProducts',
    method: 'GET',
    path: '/v1/products',
    summary: 'What you may sell',
    description: 'With fees, limits and hours.',
    answers: { 200: { text: 'Your products', schema: schemas.productsToldSchema } },
    problems: [],
    run: getProducts,
  },
  {
    name: 'getBalance',
    method: 'GET',
    path: '/v1/balance',
    summary: 'Your money with us',
    description: 'Deposit, what is on hold, and commission.',
    answers: { 200: { text: 'Your balance', schema: schemas.balanceToldSchema } },
    problems: ['unavailable'],
    run: getBalance,
  },
]

/** What any request may be refused with. */
export const COMMON_PROBLEMS: readonly ProblemCode[] = [
  'invalid-request',
  'unauthenticated',
  'signature-stale',
  'signature-replayed',
  'address-refused',
  'partner-blocked',
  'not-found',
  'request-timeout',
  'rate-limited',
  'too-many-in-flight',
  'headers-too-large',
  'internal',
]

/** And what any request with a body may. */
export const BODY_PROBLEMS: readonly ProblemCode[] = [
  'malformed-json',
  'body-too-large',
  'unsupported-media-type',
]
