import { AssertionFailed, errorText, isNadiError, localTime } from '#base'
import { type HttpRequest, readHttpRequest, writeHttpRequest } from '#http'
import type { Refusal } from '#listener'
import type { PackRead, SealProblem } from '#pack'
import { readJson } from '../json.ts'
import { Stamps } from '../message.ts'
import { ApiProblem } from '../problem.ts'
import { Buckets } from '../rate.ts'
import { claimExternal } from './bound.ts'
import { inquire, pay, tellStatus } from './business.ts'
import { withBody, withSpaces } from './padding.ts'
import type { SnapBank, SnapCall, SnapParts, SnapService } from './parts.ts'
import { refusalFrame, type SnapCase, SnapRefusal } from './refusal.ts'
import { SnapTokens, TOKEN_LASTS_MS } from './tokens.ts'

const PATHS: Readonly<Record<string, string>> = {
  '/openapi/v1.0/access-token/b2b': '73',
  '/openapi/v1.0/transfer-va/inquiry': '24',
  '/openapi/v1.0/transfer-va/payment': '25',
  '/openapi/v1.0/transfer-va/status': '26',
}
const NO_SERVICE = '00'
const EXTERNAL = /^\d{1,36}$/

/** What the listener says no to before the desk sees it, as the standard would have it told. */
const LISTENERS_OWN: Readonly<Record<Refusal, readonly [SnapCase, detail?: string]>> = {
  'no-route': ['service'],
  stranger: ['unauthorized', 'Connection Not Allowed'],
  busy: ['rate-limited'],
  encoding: ['format', 'Content-Encoding'],
  'too-long': ['malformed', 'Body Too Long'],
  unreadable: ['malformed'],
  late: ['timeout'],
  failed: ['internal'],
}

/**
 * Where banks come in. What stands between a request and its business, in this order:
 *
 *     service? ─▶ method ─▶ who does it say it is? ─▶ address ─▶ rate ─▶ JSON ─▶ token ─▶ signature
 *       ─▶ readable? ─▶ X-EXTERNAL-ID new, or the same again? ─▶ 24, 25 or 26
 */
export class SnapDesk {
  readonly #parts: SnapParts
  readonly #tokens: SnapTokens
  readonly #stamps: Stamps
  readonly #rates: Buckets

  constructor(parts: SnapParts) {
    this.#parts = parts
    const { name, tokenKeys, clock, random } = parts
    this.#tokens = new SnapTokens(name, tokenKeys, clock, random)
    this.#stamps = new Stamps(parts.clock)
    this.#rates = new Buckets(parts.rate, Math.max(1, parts.banks.length))
  }

  /** Whether any bank calls from there. */
  mayCall(peer: string): boolean {
    return this.#parts.banks.some(bank => bank.mayCall(peer))
  }

  turnedAway(peer: string): void {
    this.#parts.log.info('a SNAP request came from where no bank is', { peer })
  }

  /** What the listener did not let through to `take`. */
  refusal(why: Refusal, target: string): Uint8Array {
    return refusalFrame(new SnapRefusal(...LISTENERS_OWN[why]), serviceOf(target))
  }

  /** One HTTP request as a frame; resolves with the frame of its answer. */
  async take(frame: Uint8Array, peer: string): Promise<Uint8Array> {
    const request = readHttpRequest(frame)
    const digits = serviceOf(request.target)
    try {
      return await this.#answer(frame, request, digits, peer)
    } catch (error) {
      return refusalFrame(this.#refused(error, digits, peer), digits)
    }
  }

  async #answer(
    frame: Uint8Array,
    request: HttpRequest,
    digits: string,
    peer: string,
  ): Promise<Uint8Array> {
    if (digits === NO_SERVICE) throw new SnapRefusal('service')
    if (request.method !== 'POST') throw new SnapRefusal('method')
    const bank = this.#bankOf(request, digits, peer)
    const body = bodyOf(request)
    if (digits === '73') return this.#giveToken(frame, bank, body)
    const call = await this.#letIn(frame, request, bank, body, digits)
    switch (digits) {
      case '24':
        return inquire(this.#parts, this.#stamps, call)
      case '25':
        return pay(this.#parts, call)
      default:
        return tellStatus(this.#parts, call)
    }
  }

  /** Who it says it is; believed when the signature is good. */
  #bankOf({ headers }: HttpRequest, digits: string, peer: string): SnapBank {
    const { banks, clock } = this.#parts
    const [header, part] =
      digits === '73'
        ? (['x-client-key', 'clientId'] as const)
        : (['x-partner-id', 'partnerId'] as const)
    const given = headers[header]
    if (given === undefined) throw new SnapRefusal('missing', header)
    const bank = banks.find(one => one[part] === given)
    if (!bank || !bank.mayCall(peer)) throw new SnapRefusal('unauthorized')
    if (this.#rates.take(bank.name, clock.nowMs()) > 0) throw new SnapRefusal('rate-limited')
    return bank
  }

  #giveToken(
    frame: Uint8Array,
    bank: SnapBank,
    body: Readonly<Record<string, unknown>>,
  ): Uint8Array {
    const { pack } = firstOf(bank)
    const problem = pack.opens(frame, { nowMs: this.#parts.clock.nowMs(), nonce: '' })
    if (problem) throw refusalOf(problem)
    if (body['grantType'] === undefined) throw new SnapRefusal('missing', 'grantType')
    if (body['grantType'] !== 'client_credentials') throw new SnapRefusal('format', 'grantType')
    const { session } = pack
    if (!session) throw new SnapRefusal('service')
    return session.writeAnswer(this.#tokens.give(bank.name), TOKEN_LASTS_MS)
  }

  async #letIn(
    frame: Uint8Array,
    request: HttpRequest,
    bank: SnapBank,
    body: Readonly<Record<string, unknown>>,
    digits: string,
  ): Promise<SnapCall> {
    const { clock } = this.#parts
    const { headers } = request
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(headers['authorization'] ?? '')?.[1] ?? ''
    if (!this.#tokens.holds(bank.name, token)) throw new SnapRefusal('token')
    const given = body['partnerServiceId']
    const number = typeof given === 'string' ? given.trimStart() : ''
    // The signature comes first: who cannot sign learns nothing of which numbers there are.
    const known = bank.services.get(number)
    const service = known ?? firstOf(bank)
    const nowMs = clock.nowMs()
    const problem = service.pack.opens(frame, { nowMs, nonce: '', token })
    if (problem?.path.startsWith('headers.')) throw refusalOf(problem)
    if (given === undefined) throw new SnapRefusal('missing', 'partnerServiceId')
    if (!known) throw new SnapRefusal('bill-not-found')
    const { asker } = bank
    if (asker.blocked) throw new SnapRefusal('forbidden')
    const external = headers['x-external-id'] ?? ''
    if (!EXTERNAL.test(external)) throw new SnapRefusal('format', 'X-EXTERNAL-ID')
    const padded = withSpaces(body, number)
    const asked = padded ? withBody(request, padded) : frame
    const message = messageOf(service.pack.readRequest(asked))
    if (problem && !padded) throw new SnapRefusal('inconsistent', problem.path)
    checkAgreement(padded ?? body)
    const call = { bank, number, service, message, digits, frame: withoutProof(request) }
    await claimExternal(this.#parts, call, external, request.body, localTime(nowMs).slice(0, 8))
    return call
  }

  #refused(error: unknown, service: string, peer: string): SnapRefusal {
    if (error instanceof AssertionFailed) throw error
    const refusal = asRefusal(error)
    const { log, name } = this.#parts
    const told = { listener: name, service, peer, case: refusal.case, detail: refusal.detail }
    if (isNadiError(error, 'JOURNAL_UNAVAILABLE'))
      log.warn('a SNAP request came while the journal is away', told)
    else if (refusal.case === 'internal')
      log.error('a SNAP request failed', { ...told, error: errorText(error) })
    else log.info('a SNAP request was refused', told)
    return refusal
  }
}

function serviceOf(target: string): string {
  const [path = ''] = target.split('?', 1)
  return PATHS[path] ?? NO_SERVICE
}

function asRefusal(error: unknown): SnapRefusal {
  if (error instanceof SnapRefusal) return error
  if (error instanceof ApiProblem) return new SnapRefusal('malformed')
  return new SnapRefusal('internal')
}

function firstOf({ services }: SnapBank): SnapService {
  const [first] = services.values()
  if (!first) throw new SnapRefusal('service')
  return first
}

/** JSON in UTF-8, an object, no key twice, not too deep. Throws ApiProblem, SnapRefusal. */
function bodyOf({ headers, body }: HttpRequest): Readonly<Record<string, unknown>> {
  const type = headers['content-type'] ?? ''
  if (!/^application\/json\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(type))
    throw new SnapRefusal('format', 'Content-Type')
  const value = readJson(body)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SnapRefusal('malformed')
  return value as Readonly<Record<string, unknown>>
}

/** What is said twice must be the same: the account's number, and what is paid of what is owed. */
function checkAgreement(body: Readonly<Record<string, unknown>>): void {
  const { partnerServiceId, customerNo, virtualAccountNo, paidAmount, totalAmount } = body
  if (virtualAccountNo !== `${String(partnerServiceId)}${String(customerNo)}`)
    throw new SnapRefusal('inconsistent', 'virtualAccountNo')
  if (valueOf(paidAmount) !== valueOf(totalAmount)) throw new SnapRefusal('amount')
}

/** Undefined where a service has none; its shape is the pack's to check. */
function valueOf(money: unknown): unknown {
  return typeof money === 'object' && money !== null && 'value' in money ? money.value : undefined
}

function messageOf(read: PackRead) {
  if (read.tag === 'message') return read.message
  const { code, path } = read.reject.error
  throw new SnapRefusal(code === 'PACK_MISSING_FIELD' ? 'missing' : 'format', path)
}

function refusalOf({ tag, path }: SealProblem): SnapRefusal {
  const name = path.replace(/^headers\./, '')
  return tag === 'missing'
    ? new SnapRefusal('missing', name)
    : new SnapRefusal('unauthorized', name)
}

/** What tells how the request was meant; what proves who sent it is no evidence of that. */
const PROOFS = new Set(['authorization', 'x-signature'])

function withoutProof({ method, target, headers, body }: HttpRequest): Uint8Array {
  const kept = Object.entries(headers).filter(([name]) => !PROOFS.has(name))
  return writeHttpRequest({ method, target, headers: Object.fromEntries(kept), body })
}
