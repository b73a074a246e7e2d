// src/screening/index.ts — may it proceed? Pure over facts.
export type {
  Decision,
  Facts,
  PartnerFacts,
  PaymentFacts,
  ProductFacts,
  Quote,
  Rule,
} from './rules.ts'
export {
  customerOf,
  dueFor,
  INQUIRY_RULES,
  PAYMENT_RULES,
  screenInquiry,
  screenPayment,
} from './rules.ts'
