import { type ApiPartner, type RequestStore, type SnapBank, SnapDesk } from '#api'
import { type Clock, type Random, Secret } from '#base'
import { type Config, ensureSecret, type SnapListenerConfig } from '#config'
import { CallbackListener, type TellRefusal } from '#listener'
import type { HttpPack } from '#pack'
import type { Switch } from '#switch'
import type { Log } from '#telemetry'

type Around = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly switch: Pick<Switch, 'accept' | 'looks'>
  readonly requests: RequestStore
}

const TOKEN_KEY_BYTES = 32

/** The constructors of a way in for banks. */
export function snapListener(
  config: Config,
  listener: SnapListenerConfig,
  partners: ReadonlyMap<string, ApiPartner>,
  around: Around,
): CallbackListener {
  const { name, host, port, tls, limits, banks, answerWaitMs, rate, tokenKeys } = listener
  const desk = new SnapDesk({
    ...around,
    name,
    answerWaitMs,
    rate,
    tokenKeys: tokenKeys.map(key => ensureSecret(key, around.random, TOKEN_KEY_BYTES)),
    products: config.products,
    banks: banks.flatMap(bank => bankOf(config, bank, partners)),
  })
  const route = {
    prefix: '/',
    mayCall: (peer: string) => desk.mayCall(peer),
    turnedAway: (peer: string) => desk.turnedAway(peer),
    take: (frame: Uint8Array, peer: string) => desk.take(frame, peer),
  }
  const refusal: TellRefusal = (why, target) => desk.refusal(why, target)
  return new CallbackListener({ name, host, port, tls, limits, routes: [route], refusal }, around)
}

/** The configuration was checked: the pack is there, and the partner has an identity. */
function bankOf(
  { httpPacks }: Config,
  { name, partner, pack, mayCall, credentials, services }: SnapListenerConfig['banks'][number],
  partners: ReadonlyMap<string, ApiPartner>,
): SnapBank[] {
  const facts = partners.get(partner)
  if (!facts?.api) return []
  const bare = httpPacks.get(pack) as HttpPack
  const own = [...services].map(([number, service]) => {
    const withNumber = { ...credentials, partnerServiceId: new Secret(number) }
    return [number, { ...service, pack: bare.with(withNumber) }] as const
  })
  return [
    {
      name,
      clientId: credentials['clientId']?.reveal() ?? '',
      partnerId: credentials['partnerId']?.reveal() ?? '',
      asker: { ...facts, api: facts.api },
      mayCall,
      services: new Map(own),
    },
  ]
}
