import type { PeerCertificate, TLSSocket } from 'node:tls'
import type { FastifyRequest } from 'fastify'
import { Secret } from '#base'
import type { ApiParts, ApiPartner } from './parts.ts'
import { ApiProblem } from './problem.ts'
import { Replays } from './replays.ts'
import { type Authorization, isSigned, readAuthorization, SCHEME } from './signature.ts'

/** Who asks: a partner of ours with a way in here. */
export type Asker = ApiPartner & { readonly api: NonNullable<ApiPartner['api']> }

type Claim = { readonly partner: Asker; readonly secret: Secret<string> }

/** What stands in for the secret of a key that nobody has, so that looking takes as long. */
const NOBODY = new Secret('')

/**
 * Who sent a request: by the HMAC of one of the partner's keys, or by a client certificate that is
 * pinned to the partner. Nothing is believed from a header that is not signed.
 */
export class Authenticator {
  readonly #parts: ApiParts
  readonly #byKey = new Map<string, Claim>()
  readonly #byCertificate = new Map<string, Asker>()
  readonly #replays: Replays
  readonly #uses = new Map<string, KeyUse>()

  constructor(parts: ApiParts) {
    this.#parts = parts
    const { signatureWindowMs, limits } = parts
    const { perSecond, burst } = limits.partnerRate
    // As many as the rate lets through within what the window spans, before and after now.
    const perKeyMax = Math.ceil((perSecond * 2 * signatureWindowMs) / 1000) + burst
    this.#replays = new Replays(signatureWindowMs, perKeyMax)
    for (const partner of parts.partners.values()) {
      const { api } = partner
      if (!api) continue
      const asker: Asker = { ...partner, api }
      for (const [id, secret] of api.keys) this.#byKey.set(id, { partner: asker, secret })
      for (const fingerprint of api.certificates) this.#byCertificate.set(fingerprint, asker)
    }
  }

  /** When each key or certificate was last used, and how often since the start. */
  get uses(): ReadonlyMap<string, KeyUse> {
    return this.#uses
  }

  /** The partner; throws ApiProblem. `body` is the raw one. */
  partnerOf(request: FastifyRequest, body: Uint8Array): Asker {
    const { authorization } = request.headers
    const partner =
      authorization === undefined
        ? this.#byCertificateOf(request)
        : this.#bySignature(request, authorization, body)
    if (!partner.mayDialFrom(request.ip)) throw new ApiProblem('address-refused')
    if (partner.blocked) throw new ApiProblem('partner-blocked')
    return partner
  }

  #bySignature(request: FastifyRequest, header: string, body: Uint8Array): Asker {
    const given = readAuthorization(header)
    if (!given) throw new ApiProblem('unauthenticated', `Authorization is no whole ${SCHEME}`)
    const claim = this.#byKey.get(given.key)
    const signed = { ...given, ...partsOf(request), body }
    const good = isSigned(claim?.secret ?? NOBODY, signed, given.signature)
    if (!claim || !good) throw new ApiProblem('unauthenticated', 'unknown key or wrong signature')
    this.#refuseStaleOrUsed(given)
    this.#note(given.key, request.ip)
    return claim.partner
  }

  #refuseStaleOrUsed({ key, time, signature }: Authorization): void {
    const nowMs = this.#parts.clock.nowMs()
    const timeMs = Number(time) * 1000
    if (Math.abs(timeMs - nowMs) > this.#parts.signatureWindowMs)
      throw new ApiProblem('signature-stale', undefined, {
        headers: { date: new Date(nowMs).toUTCString() },
      })
    const seen = this.#replays.take(key, Buffer.from(signature, 'base64'), timeMs, nowMs)
    if (seen === 'used') throw new ApiProblem('signature-replayed')
    if (seen === 'full')
      throw new ApiProblem('rate-limited', 'this key has signed too many requests of late', {
        headers: { 'retry-after': '60' },
      })
  }

  #byCertificateOf({ raw, ip }: FastifyRequest): Asker {
    const socket = raw.socket as Partial<TLSSocket>
    const certificate = socket.getPeerCertificate?.()
    const fingerprint = certificate?.fingerprint256?.replaceAll(':', '').toLowerCase() ?? ''
    const partner = this.#byCertificate.get(fingerprint)
    if (!partner || !certificate) throw new ApiProblem('unauthenticated')
    if (!isValidAt(certificate, this.#parts.clock.nowMs()))
      throw new ApiProblem('unauthenticated', 'the client certificate is not valid now')
    this.#note(fingerprint, ip)
    return partner
  }

  #note(name: string, address: string): void {
    const count = (this.#uses.get(name)?.count ?? 0) + 1
    this.#uses.set(name, { count, lastAtMs: this.#parts.clock.nowMs(), lastFrom: address })
  }
}

export type KeyUse = {
  readonly count: number
  readonly lastAtMs: number
  readonly lastFrom: string
}

function partsOf({ method, raw, headers }: FastifyRequest) {
  const key = headers['idempotency-key']
  const idempotencyKey = typeof key === 'string' ? key : ''
  return { method, target: raw.url ?? '', idempotencyKey }
}

/** Pinning says whose it is; its own dates still say how long. */
function isValidAt({ valid_from: from, valid_to: to }: PeerCertificate, nowMs: number): boolean {
  return nowMs >= new Date(from).getTime() && nowMs <= new Date(to).getTime()
}
