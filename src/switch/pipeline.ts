import { businessDate, type BusinessDate, WIB_OFFSET_MS } from '#base'
import type { Fault, Message, Reason } from '#message'
import { adminOf, price, type Price } from '#pricing'
import { route } from '#routing'
import { type Facts, screenInquiry, screenPayment } from '#screening'
import { paymentFor } from './compose.ts'
import type { Incoming } from './incoming.ts'
import type { Inquiry } from './inquiries.ts'
import type { Product, QuoteSource, SwitchParts } from './options.ts'
import { type NotQuoted, withCode } from './scanned.ts'

/**
 * The page to read first: what becomes of a request before anything is durable. Facts are
 * gathered (by the caller, one round trip at most), then everything is decided without waiting.
 *
 *   facts ─▶ screening: may it proceed? ─▶ pricing: what does it cost? ─▶ routing: where does it go?
 */
export type Planned<T> = ({ readonly tag: 'go' } & T) | Refused

export type Refused = {
  readonly tag: 'refuse'
  readonly reason: Reason
  readonly rule: string
  readonly fault?: Fault
}

type Plan = {
  readonly product: Product
  readonly businessDate: BusinessDate
  readonly routes: Routes
}

/** `asks` is the request with all that it means: what the customer showed is read. */
export type InquiryPlan = Plan & { readonly asks: Message }

export type PaymentPlan = Plan & { readonly price: Price; readonly toBiller: Message }

type Routes = readonly [string, ...string[]]

export function planInquiry(incoming: Incoming, parts: SwitchParts): Planned<InquiryPlan> {
  const { message } = incoming
  const facts = gather(incoming, parts)
  const decision = screenInquiry(message, facts)
  if (decision.tag === 'decline') return { ...decision, tag: 'refuse' }
  const product = parts.products.get(message.product ?? '') as Product
  const routes = route(product.links, name => parts.destinations.get(name)?.up ?? false)
  if (!routes) return NO_ROUTE
  const asks = product.quote ? QUOTES[product.quote](message) : message
  if ('reason' in asks) return { ...asks, tag: 'refuse', rule: product.quote ?? '' }
  return { tag: 'go', product, businessDate: facts.businessDate, routes, asks }
}

/** What completes an inquiry where a product says so. */
const QUOTES: Readonly<Record<QuoteSource, (message: Message) => Message | NotQuoted>> = {
  'qris-code': withCode,
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
