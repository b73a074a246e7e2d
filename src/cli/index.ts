// src/cli/index.ts — a partner as a library, for the crash test and the benchmark; main.ts is the program.
export type { PartnerOptions } from './partner.ts'
export { PartnerClient } from './partner.ts'
export { receipt, RECEIPT_WIDTH } from './receipt.ts'
export type { Choice, Stamp } from './requests.ts'
export {
  aboutPayment,
  adminFor,
  dueOf,
  inquiryRequest,
  paymentRequest,
  Stamps,
} from './requests.ts'
