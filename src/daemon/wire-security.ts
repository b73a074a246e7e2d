import { NadiError } from '#base'
import type { ListenerConfig } from '#config'
import type { DialedLink, LinkGuard } from '#link'
import type { Message } from '#message'
import type { Pack } from '#pack'
import { dialectOf, FrameSecurity, type Identity, type SecurityProfile } from '#switch'
import type { World } from './wire.ts'

/** The cryptography of one link or listener; undefined where its file has none. Throws CONF_INVALID. */
export function securityOf(
  name: string,
  pack: Pack,
  profile: SecurityProfile | undefined,
  { hsm, keyring, clock, log }: World,
): FrameSecurity | undefined {
  if (!profile) return undefined
  if (!hsm || !keyring)
    throw new NadiError('CONF_INVALID', { path: name, hint: '`security` needs an HSM' })
  const { codec } = pack
  return new FrameSecurity({ name, codec, hsm, keys: keyring(name), profile, clock, log })
}

/** The same for a listener's partners that have keys of their own, by the names of their zones. */
export function zoneSecurities(
  { zones = new Map<string, string>(), security }: ListenerConfig,
  pack: Pack,
  world: World,
): (readonly [zone: string, FrameSecurity])[] {
  return [...zones.values()].flatMap(zone => {
    const made = securityOf(zone, pack, security, world)
    return made ? [[zone, made] as const] : []
  })
}

/** Those of one listener, by partner. */
export function zonesOf(
  { zones }: ListenerConfig,
  securities: ReadonlyMap<string, FrameSecurity>,
): { readonly zones?: ReadonlyMap<string, FrameSecurity> } {
  if (!zones || zones.size === 0) return {}
  return {
    zones: new Map([...zones].map(([partner, zone]) => [partner, securities.get(zone)!] as const)),
  }
}

/** What a link looks at frames with: what is not whole does not come in, and cannot be answered. */
export function guardOf(security: FrameSecurity): LinkGuard {
  return {
    admit: (frame, pass, reply) =>
      security.admit(
        frame,
        ({ frame: open, problem }) => {
          if (!problem || problem === 'unreadable') pass(open)
        },
        answer => {
          if (answer) reply(answer)
        },
      ),
  }
}

/** Lets the key exchange speak over a link that we dial, as soon as it is up. */
export function exchangeOver(
  link: DialedLink<Message>,
  pack: Pack,
  identity: Identity,
  { exchange }: FrameSecurity,
  { clock }: World,
): void {
  exchange?.attach({
    blank: () => dialectOf(pack, identity, clock).echo?.().frame,
    tell: frame => link.tell(frame),
  })
  link.onState(state => {
    if (state === 'up') exchange?.lineUp()
    if (state === 'stopped') exchange?.stop()
  })
}
