import { businessDate, type BusinessDate, WIB_OFFSET_MS } from '#base'
import type { Message, Reason } from '#message'
import { adminOf, price, type Price } from '#pricing'
import { route } from '#routing'
import { type Facts, screenInquiry, screenPayment } from '#screening'
import { paymentFor } from './compose.ts'
import type { Incoming } from './incoming.ts'
import type { Inquiry } from './inquiries.ts'
import type { Product, SwitchParts } from './options.ts'

/**
 * The page to read first: what becomes of a request before anything is durable. Facts are
 * gathered (by the caller, one round trip at most), then everything is decided without waiting.
 *
 *   facts ─▶ screening: may it proceed? ─▶ pricing: what does it cost? ─▶ routing: where does it go?
 */
export type Planned<T> = ({ readonly tag: 'go' } & T) | Refused

export type Refused = { readonly tag: 'refuse'; readonly reason: Reason; readonly rule: string }

export type InquiryPlan = {
  readonly product: Product
  readonly businessDate: BusinessDate
  readonly routes: Routes
}

export type PaymentPlan = InquiryPlan & { readonly price: Price; readonly toBiller: Message }

type Routes = readonly [string, ...string[]]

export function planInquiry(incoming: Incoming, parts: SwitchParts): Planned<InquiryPlan> {
  const { message } = incoming
  const facts = gather(incoming, parts)
  const decision = screenInquiry(message, facts)
  if (decision.tag === 'decline') return { ...decision, tag: 'refuse' }
  const product = parts.products.get(message.product ?? '') as Product
  const routes = route(product.links, name => parts.destinations.get(name)?.up ?? false)
  if (!routes) return NO_ROUTE
  return { tag: 'go', product, businessDate: facts.businessDate, routes }
}

export function planPayment(
  incoming: Incoming,
  inquiry: Inquiry | undefined,
  parts: SwitchParts,
): Planned<PaymentPlan> {
  const { message } = incoming
  const facts = gather(incoming, parts)
  const product = parts.products.get(message.product ?? '')
  const decision = screenPayment(message, {
    ...facts,
    quote: inquiry,
    adminMinor: product ? adminOf(product.fee, message) : (0n as Price['adminMinor']),
  })
  if (decision.tag === 'decline') return { ...decision, tag: 'refuse' }
  const { answer, route: asked } = inquiry as Inquiry
  const sold = product as Product
  // The biller's references are good where they were given; other links of it come second.
  const links = [asked, ...sold.links.filter(link => link !== asked)]
  const routes = route(links, name => parts.destinations.get(name)?.up ?? false)
  if (!routes) return NO_ROUTE
  return {
    tag: 'go',
    product: sold,
    businessDate: facts.businessDate,
    routes,
    price: price(sold.fee, message),
    toBiller: paymentFor(message, answer),
  }
}

const NO_ROUTE: Refused = { tag: 'refuse', reason: 'unavailable', rule: 'no-route' }

function gather({ message, atMs, sessionPartner }: Incoming, parts: SwitchParts): Facts {
  return {
    nowMs: atMs,
    timeOfDayMs: (atMs + WIB_OFFSET_MS) % 86_400_000,
    businessDate: businessDate(atMs, parts.settings.cutoverMs),
    partner: parts.partners.get(message.partner ?? ''),
    sessionPartner,
    product: parts.products.get(message.product ?? ''),
  }
}
