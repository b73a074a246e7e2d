import type { CallbackListenerConfig, Config, HttpLinkConfig } from '#config'
import { HttpLink } from '#link'
import { CallbackListener } from '#listener'
import type { Message } from '#message'
import type { HttpPack } from '#pack'
import { CallbackDesk, HttpDestination, httpDialectOf, type OwnNumbers, type Switch } from '#switch'
import type { World } from './wire.ts'

/** The constructors of what goes over HTTP, in order. No logic. */
export type HttpEnd = {
  readonly link: HttpLinkConfig
  readonly destination: HttpDestination
  /** With the link's credentials. */
  readonly pack: HttpPack
}

export function httpEnd(
  config: Config,
  link: HttpLinkConfig,
  numbers: OwnNumbers,
  { clock, random, log, vault }: World,
): HttpEnd {
  const { name, place, identity, options, credentials } = link
  // The configuration was checked: a pack that is named is there.
  const pack = (config.httpPacks.get(link.pack) as HttpPack).with(credentials)
  const dialect = httpDialectOf(pack, numbers, clock, vault)
  const over = new HttpLink<Message>({ name, place, dialect, options, clock, random, log })
  const sealing = vault ? { vault } : {}
  const destination = new HttpDestination({
    link: over,
    pack,
    identity,
    numbers,
    clock,
    ...sealing,
  })
  return { link, destination, pack }
}

export function callbackDesk(
  { destination, pack }: HttpEnd,
  numbers: OwnNumbers,
  theSwitch: Switch,
  { clock, log }: World,
): CallbackDesk {
  return new CallbackDesk({
    destination,
    pack,
    numbers,
    clock,
    log,
    lookUp: (to, answer) => theSwitch.lateAnswer(to, answer),
  })
}

export function callbackListener(
  { name, host, port, tls, limits }: CallbackListenerConfig,
  ends: readonly HttpEnd[],
  desks: ReadonlyMap<string, CallbackDesk>,
  { clock, log }: World,
): CallbackListener {
  const routes = ends.flatMap(({ link: { name: link, callback } }) => {
    const desk = desks.get(link)
    if (callback?.listener !== name || !desk) return []
    const { path, mayCall } = callback
    return [
      {
        prefix: path,
        mayCall,
        turnedAway: () => desk.turnedAway(),
        take: (frame: Uint8Array) => desk.take(frame),
      },
    ]
  })
  return new CallbackListener({ name, host, port, tls, limits, routes }, { clock, log })
}
