import { type Clock, minor, type Random, rupiah } from '#base'
import { DialedLink, HttpLink, type HttpLinkOptions } from '#link'
import type { Message } from '#message'
import { TcpDialer } from '#net'
import type { HttpPack, Pack } from '#pack'
import {
  type Destination,
  dialectOf,
  FrameDestination,
  HttpDestination,
  httpDialectOf,
  type Identity,
  type OwnNumbers,
  type Product,
} from '#switch'
import type { Log } from '#telemetry'
import type { Place } from './place.ts'
import type { Subject } from './subjects.ts'

/** What a switch of ours is made of that talks to one counterpart, in a hurry. */

export const LINK = 'counterpart'
/** Who we are where the samples do not say. */
export const LAB: Identity = {
  bank: '4519999',
  partner: '4519001',
  switcher: 'SWX0001',
  terminal: '0LOKET0000000001',
}
const NO_FEE = { biller: 0n, switch: 0n, partner: 0n }
const SPACING_MS = 30

export type LinkParts = {
  readonly pack: Pack | HttpPack
  readonly place: Place
  /** How long the other side has to answer a payment; its inquiries have longer. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

export function destinationFor(
  { pack, place, clock, random, log, patienceMs }: LinkParts,
  identity: Identity,
  numbers: OwnNumbers,
): Destination {
  const common = { name: LINK, clock, random, log }
  if ('transport' in pack) {
    if (place.tag !== 'http') throw new TypeError('a dialect over HTTP is reached by a URL')
    const link = new HttpLink<Message>({
      ...common,
      place,
      dialect: httpDialectOf(pack, numbers, clock),
      options: httpOptions(patienceMs),
    })
    return new HttpDestination({ link, pack, identity: undefined, numbers, clock })
  }
  if (place.tag !== 'tcp') throw new TypeError('frames go to a host and port')
  const link = new DialedLink<Message>({
    ...common,
    dialer: new TcpDialer(place),
    dialect: dialectOf(pack, identity, clock),
    options: {
      inFlightMax: 8,
      dialTimeoutMs: 5_000,
      signOnTimeoutMs: 5_000,
      echoIdleMs: Math.max(500, patienceMs),
      echoTimeoutMs: Math.max(200, patienceMs),
      reconnectMinMs: 20,
      reconnectMaxMs: 100,
      lateMemoryMs: 300_000,
      lateMemoryMax: 100,
    },
  })
  return new FrameDestination(link, pack, identity, clock)
}

export function productFor(
  subject: Subject,
  patienceMs: number,
  links: readonly string[],
): Product {
  const { product: code, buysMinor, recovery } = subject
  return {
    code,
    enabled: true,
    biller: 'counterpart',
    links,
    hours: undefined,
    minMinor: minor(1n),
    maxMinor: rupiah(1_000_000_000),
    denominationsMinor: buysMinor === undefined ? undefined : new Set([buysMinor]),
    feeInside: false,
    quote: subject.asks.qr?.content === undefined ? undefined : 'qris-code',
    inquiryTimeoutMs: patienceMs,
    policy: {
      recovery: recovery.policy,
      attemptsMax: ATTEMPTS_MAX,
      spacingMs: SPACING_MS,
      answerTimeoutMs: patienceMs,
      recoveryTimeoutMs: patienceMs,
      reversalWindowMs: 0,
    },
    fee: { adminPerBillMinor: minor(0n), insideAmount: false, shares: NO_FEE },
  }
}

/** Enough for every scenario that ends at all. */
const ATTEMPTS_MAX = 3

export const SETTINGS = {
  node: 0,
  cutoverMs: 86_400_000,
  referencePrefix: 'NAD',
  openMax: 100,
  inquiriesMax: 100,
  askerPatienceMs: 60_000,
  recoveriesMax: 10,
}

function httpOptions(patienceMs: number): HttpLinkOptions {
  return {
    inFlightMax: 8,
    connectTimeoutMs: 5_000,
    tlsTimeoutMs: 5_000,
    headersTimeoutMs: patienceMs,
    bodyTimeoutMs: patienceMs,
    lateWaitMs: patienceMs,
    headerBytesMax: 16_384,
    bodyBytesMax: 262_144,
    keepAliveMs: 4_000,
    tokenTimeoutMs: 5_000,
    reconnectMinMs: 20,
    reconnectMaxMs: 100,
    // One payment is under way; a bad counterpart is what is wanted here.
    circuit: {
      countMax: 1_000,
      windowMs: 60_000,
      countMin: 1_000,
      failureRate: 1,
      coolDownMs: 100,
      probes: 2,
    },
    lateMemoryMs: 300_000,
    lateMemoryMax: 100,
  }
}
