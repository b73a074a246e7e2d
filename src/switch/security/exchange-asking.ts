import type { KeyCause, KeyTypeName } from '#hsm'
import type { IsoMessage } from '#iso8583'
import type { ExchangeKeys } from './exchange-keys.ts'
import { readOffer, writeOffer, writeWanted } from './exchange-layout.ts'
import type { ExchangeSettings } from './exchange-profile.ts'
import type { ExchangeTalk, Said } from './exchange-talk.ts'

type Parts = {
  readonly settings: ExchangeSettings
  readonly keys: ExchangeKeys
  readonly talk: ExchangeTalk
  readonly count: (end: 'refused' | 'unanswered') => void
}

/** Our side of an exchange that we begin. Both throw KEY_EXCHANGE, and then nothing has changed. */

/** They make the key: it comes with their answer, or in a message of its own soon after. */
export async function askForKey(parts: Parts, type: KeyTypeName, cause: KeyCause): Promise<void> {
  const { settings, keys, talk, count } = parts
  const { profile, timeoutMs } = settings
  const arrived = keys.arrival(type, timeoutMs * 2)
  const said = await talk.say(profile.asks ?? '', draft => writeWanted(draft, type, profile))
  const answer = answered(parts, type, said, 'the key stays as it is')
  if (answer.get(profile.outcome.field) !== profile.outcome.taken)
    throw keys.failed(type, 'they do not give one; the key stays as it is')
  const offer = readOffer(answer, settings)
  const why = offer ? await keys.takeIn(offer, cause) : undefined
  if (why !== undefined) {
    count('refused')
    throw keys.failed(type, `what they gave is refused: ${why}`)
  }
  if (!(await arrived)) throw keys.failed(type, 'it did not come; the key stays as it is')
}

/** We make it. It is on record before it leaves, so that the same one is given until it is answered. */
export function giveKey(parts: Parts, type: KeyTypeName, cause: KeyCause): Promise<void> {
  const { settings, keys, talk, count } = parts
  const { profile } = settings
  return keys.giving(type, async () => {
    if (!talk.up) throw keys.failed(type, NO_LINE)
    const { made, out } = await keys.toOffer(type, cause)
    const said = await talk.say(profile.gives ?? '', draft => writeOffer(draft, type, out, profile))
    const answer = answered(parts, type, said, MAY_HAVE_IT)
    if (answer.get(profile.outcome.field) === profile.outcome.taken)
      return keys.agree(type, made, cause)
    count('refused')
    await keys.withdraw(type, cause)
    throw keys.failed(type, 'they refuse it; the key stays as it is, the new one is thrown away')
  })
}

const NO_LINE = 'there is no line; the key stays as it is'
const MAY_HAVE_IT =
  'the key stays as it is. They may have the new one: it may come in, and the same is given next time'

function answered({ keys, count }: Parts, type: KeyTypeName, said: Said, then: string): IsoMessage {
  if (said === 'no line') throw keys.failed(type, NO_LINE)
  if (said !== 'no answer') return said
  count('unanswered')
  throw keys.failed(type, `they do not answer; ${then}`)
}
