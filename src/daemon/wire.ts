import type { Clock, Random, TxnId } from '#base'
import type { Config, LinkConfig, ListenerConfig } from '#config'
import type { Journal } from '#journal'
import { DialedLink } from '#link'
import { type CallbackListener, FrameListener } from '#listener'
import type { Message } from '#message'
import type { Acceptor, Dialer } from '#net'
import type { Pack } from '#pack'
import {
  type CallbackDesk,
  type Destination,
  dialectOf,
  FrameDestination,
  type Incoming,
  type Observer,
  OwnNumbers,
  Source,
  Switch,
} from '#switch'
import type { Log } from '#telemetry'
import { callbackDesk, callbackListener, httpEnd } from './wire-http.ts'

/** What the outside world is made of: TCP and the real clock, or a simulated one. */
export type World = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly journal: Journal
  readonly observer: Observer
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
}

/** All constructors, in order. No logic. The daemon and the simulated world are wired by this alike. */
export function wire(config: Config, world: World, newest?: TxnId): Wired {
  const { clock, random, log, journal, observer } = world
  const { settings, partners, products } = config

  const numbers = new OwnNumbers(clock, settings.node)
  const ends = config.httpLinks.map(link => httpEnd(config, link, numbers, world))
  const destinations = new Map<string, Destination>([
    ...config.links.map(link => [link.name, destination(config, link, world)] as const),
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
  const listeners = config.listeners.map(each => listener(config, each, world, accept))
  const desks = new Map(
    ends.map(end => [end.link.name, callbackDesk(end, numbers, theSwitch, world)]),
  )
  const callbacks = config.callbacks.map(each => callbackListener(each, ends, desks, world))
  return { switch: theSwitch, destinations, listeners, desks, callbacks }
}

function destination(config: Config, link: LinkConfig, world: World): Destination {
  const { clock, random, log } = world
  const pack = packOf(config, link.pack)
  const dialed = new DialedLink<Message>({
    name: link.name,
    dialer: world.dialer(link),
    dialect: dialectOf(pack, link.identity, clock),
    options: link.options,
    clock,
    random,
    log,
  })
  return new FrameDestination(dialed, pack, link.identity, clock)
}

function listener(
  config: Config,
  { name, pack: packName, limits, ...place }: ListenerConfig,
  world: World,
  accept: (incoming: Incoming) => void,
): FrameListener {
  const { clock, log } = world
  const { partners } = config
  const pack = packOf(config, packName)
  const mayDial = (partner: string, peer: string): boolean =>
    partners.get(partner)?.mayDialFrom(peer) ?? false
  const handlers = new Source({ name, pack, clock, log, partners, mayDial, accept })
  const acceptor = world.acceptor({ name, pack: packName, limits, ...place })
  return new FrameListener(
    { ...limits, name, acceptor, framing: pack.framing, handlers },
    { clock, log },
  )
}

/** The configuration was checked: a pack that is named is there. */
function packOf({ packs }: Config, name: string): Pack {
  return packs.get(name) as Pack
}
