import type { Clock, Random, Secret } from '#base'
import type { Message } from '#message'
import type { HttpPack } from '#pack'
import type { Switch } from '#switch'
import type { Log } from '#telemetry'
import type { Asker } from '../auth.ts'
import type { ApiProduct, Rate } from '../parts.ts'
import type { RequestStore } from '../store.ts'

/** A product that a bank sells by virtual account, and the number before its customers'. */
export type SnapService = {
  readonly product: string
  /** What customerNo is: a subscriber's number, a meter's (or, with 12 digits, a subscriber's), a registration's. */
  readonly by: 'id' | 'meter' | 'registration'
  /** With the bank's credentials and this service's number. */
  readonly pack: HttpPack
}

export type SnapBank = {
  readonly name: string
  readonly clientId: string
  readonly partnerId: string
  /** The partner whose deposit its payments are taken from. */
  readonly asker: Asker
  /** Takes an address with or without a port. */
  readonly mayCall: (peer: string) => boolean
  /** By partnerServiceId, without the spaces before it. Never empty. */
  readonly services: ReadonlyMap<string, SnapService>
}

export type SnapParts = {
  /** The listener's name. */
  readonly name: string
  readonly banks: readonly SnapBank[]
  /** What tokens are made by, the newest first; all of them are taken. Never empty. */
  readonly tokenKeys: readonly Secret<string>[]
  /** How long a bank waits for the outcome of a payment before it is told 504. */
  readonly answerWaitMs: number
  /** Requests of one bank. */
  readonly rate: Rate
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly switch: Pick<Switch, 'accept' | 'looks'>
  readonly products: ReadonlyMap<string, ApiProduct>
  readonly requests: RequestStore
}

/** One request that was let in: who asks, by which service, and what it says. */
export type SnapCall = {
  readonly bank: SnapBank
  /** partnerServiceId without spaces. */
  readonly number: string
  readonly service: SnapService
  readonly message: Message
  /** As it may be kept: without what proves who sent it. */
  readonly frame: Uint8Array
  readonly digits: string
}
