import type { Clock, Random, TxnId } from '#base'
import type { Config, LinkConfig, ListenerConfig } from '#config'
import type { PaymentHsm, ZoneKeyring } from '#hsm'
import type { Journal } from '#journal'
import { DialedLink } from '#link'
import { type CallbackListener, FrameListener } from '#listener'
import type { Message } from '#message'
import type { Acceptor, Dialer } from '#net'
import type { Pack } from '#pack'
import {
  type CallbackDesk,
  type CardVault,
  type Destination,
  dialectOf,
  FrameDestination,
  type FrameSecurity,
  type Incoming,
  type Observer,
  OwnNumbers,
  Source,
  Switch,
} from '#switch'
import type { Log } from '#telemetry'
import { callbackDesk, callbackListener, httpEnd } from './wire-http.ts'
import { exchangeOver, guardOf, securityOf, zoneSecurities, zonesOf } from './wire-security.ts'

/** What the outside world is made of: TCP and the real clock, or a simulated one. */
export type World = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journal: Journal
  readonly observer: Observer
  /** Absent where no link or listener uses keys. */
  readonly hsm?: PaymentHsm
  /** The keys that a link or listener shares with its counterpart, by its name. */
  readonly keyring?: (zone: string) => ZoneKeyring
  /** Seals card numbers inside of the switch. */
  readonly vault?: CardVault
  dialer(link: LinkConfig): Dialer
  acceptor(listener: ListenerConfig): Acceptor
}

export type Wired = {
  readonly switch: Switch
  readonly destinations: ReadonlyMap<string, Destination>
  readonly listeners: readonly FrameListener[]
  /** What billers tell by themselves: by link, and where it comes in. */
  readonly desks: ReadonlyMap<string, CallbackDesk>
  readonly callbacks: readonly CallbackListener[]
  /** The cryptography of links and listeners that have some, by their name. */
  readonly securities: ReadonlyMap<string, FrameSecurity>
}

/** All constructors, in order. No logic. The daemon and the simulated world are wired by this alike. */
export function wire(config: Config, world: World, newest?: TxnId): Wired {
  const { clock, random, log, journal, observer } = world
  const { settings, partners, products } = config

  const securities = new Map<string, FrameSecurity>()
  for (const { name, pack, security } of [...config.links, ...config.listeners]) {
    const made = securityOf(name, packOf(config, pack), security, world)
    if (made) securities.set(name, made)
  }
  for (const each of config.listeners)
    for (const [zone, made] of zoneSecurities(each, packOf(config, each.pack), world))
      securities.set(zone, made)
  const numbers = new OwnNumbers(clock, settings.node)
  const ends = config.httpLinks.map(link => httpEnd(config, link, numbers, world))
  const destinations = new Map<string, Destination>([
    ...config.links.map(link => [link.name, destination(config, link, world, securities)] as const),
    ...ends.map(({ destination: end }) => [end.name, end] as const),
  ])
  const parts = {
    settings,
    clock,
    random,
    log,
    journal,
    partners,
    products,
    destinations,
    observer,
  }
  const theSwitch = new Switch(parts, newest)
  const accept = (incoming: Incoming): void => theSwitch.accept(incoming)
  const listeners = config.listeners.map(each => listener(config, each, world, securities, accept))
  const desks = new Map(
    ends.map(end => [end.link.name, callbackDesk(end, numbers, theSwitch, world)]),
  )
  const callbacks = config.callbacks.map(each => callbackListener(each, ends, desks, world))
  return { switch: theSwitch, destinations, listeners, desks, callbacks, securities }
}

type Securities = ReadonlyMap<string, FrameSecurity>

function destination(
  config: Config,
  link: LinkConfig,
  world: World,
  securities: Securities,
): Destination {
  const { clock, random, log, vault } = world
  const security = securities.get(link.name)
  const pack = packOf(config, link.pack)
  const dialed = new DialedLink<Message>({
    name: link.name,
    dialer: world.dialer(link),
    dialect: dialectOf(pack, link.identity, clock, vault),
    options: link.options,
    clock,
    random,
    log,
    ...(security && { guard: guardOf(security) }),
  })
  if (security) exchangeOver(dialed, pack, link.identity, security, world)
  const more = { ...(security && { security }), ...(vault && { vault }) }
  return new FrameDestination(dialed, pack, link.identity, clock, more)
}

function listener(
  config: Config,
  file: ListenerConfig,
  world: World,
  securities: Securities,
  accept: (incoming: Incoming) => void,
): FrameListener {
  const { clock, log, vault } = world
  const { partners } = config
  const { name, limits } = file
  const security = securities.get(name)
  const pack = packOf(config, file.pack)
  const mayDial = (partner: string, peer: string): boolean =>
    partners.get(partner)?.mayDialFrom(peer) ?? false
  const handlers = new Source({
    name,
    pack,
    clock,
    log,
    partners,
    mayDial,
    accept,
    security,
    ...zonesOf(file, securities),
    vault,
  })
  const acceptor = world.acceptor(file)
  return new FrameListener(
    { ...limits, name, acceptor, framing: pack.framing, handlers },
    { clock, log },
  )
}

/** The configuration was checked: a pack that is named is there. */
function packOf({ packs }: Config, name: string): Pack {
  return packs.get(name) as Pack
}
