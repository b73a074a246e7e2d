import { createHmac } from 'node:crypto'
import { isNadiError, minor, NadiError } from '#base'
import {
  isHttpResponse,
  readHttpRequest,
  readHttpResponse,
  writeHttpRequest,
  writeHttpResponse,
} from '#http'
import type { Meaning, Message, MessageKind, Outcome } from '#message'
import type { Credentials, HttpPack, PackRead } from '#pack'

/**
 * A tiny dialect, written by hand: the switch must not care how a pack was made.
 *
 *     POST /inquiry | /payment | /status    { own, product, customer, amount? }
 *     answers and callbacks                 { own, code, customer?, amount?, name?, serial? }
 *
 * A request is signed in `x-sign` over its body and time (`x-at`), and so are callbacks; `bill` is
 * asked for before it is paid, `topup` is not.
 */
export const CODES: Readonly<Record<string, Meaning>> = {
  ok: 'approved',
  no: 'declined',
  wait: 'unknown',
  who: 'sign-on',
}

const STALE_MS = 60_000

export function handPack(given: Credentials = {}, withToken = false): HttpPack {
  const secret = (): string => {
    const { key } = given
    if (!key) throw new NadiError('PACK_CREDENTIAL', { path: 'key' })
    return key.reveal()
  }
  const sign = (body: Uint8Array, at: string): string =>
    createHmac('sha256', secret()).update(body).update(at).digest('hex')
  return {
    transport: 'http',
    name: 'hand',
    conversation: { signOn: withToken, echoIdleMs: 0, responseTimeoutMs: 1000 },
    recovery: {},
    products: ['bill', 'topup'],
    credentials: [
      { name: 'key', text: 'what requests are signed with', kind: 'secret', optional: false },
    ],
    withoutInquiry: ['topup'],
    needsOwnReference: true,
    carries: (kind, product) => kind !== 'reversal' && !(kind === 'inquiry' && product === 'topup'),
    with: credentials => handPack(credentials, withToken),
    write(message) {
      const { kind, product, customer, reference, amountMinor } = message
      if (kind === 'reversal') throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind' })
      const amount = amountMinor === undefined ? {} : { amount: Number(amountMinor) }
      const body = JSON.stringify({
        own: reference?.own,
        product,
        customer: customer?.id,
        ...amount,
      })
      const headers = { 'content-type': 'application/json' }
      return writeHttpRequest({ method: 'POST', target: `/${kind}`, headers, body })
    },
    readAnswer: (frame, asked) =>
      reading(() => {
        const { status, body } = readHttpResponse(frame)
        if (status >= 500)
          return { ...asked, direction: 'response', outcome: outcomeOf(asked.kind, 'wait') }
        return { ...asked, ...said(asked.kind, body, asked) }
      }),
    readRequest: () =>
      reading(() => {
        throw new NadiError('PACK_UNKNOWN_MESSAGE', { path: 'kind' })
      }),
    writeReject: () => writeHttpResponse({ status: 400, headers: {}, body: '' }),
    seal(frame, { nowMs, token }) {
      const { headers, ...request } = readHttpRequest(frame)
      const at = String(nowMs)
      const sealed = { ...headers, 'x-at': at, 'x-sign': sign(request.body, at) }
      return writeHttpRequest({
        ...request,
        headers: token === undefined ? sealed : { ...sealed, 'x-token': token },
      })
    },
    opens(frame, { nowMs }) {
      if (isHttpResponse(frame)) return undefined
      const { headers, body } = readHttpRequest(frame)
      const { 'x-at': at, 'x-sign': signature } = headers
      if (at === undefined || signature === undefined) return { tag: 'missing', path: 'x-sign' }
      if (signature !== sign(body, at)) return { tag: 'forged', path: 'x-sign' }
      return Math.abs(nowMs - Number(at)) > STALE_MS ? { tag: 'stale', path: 'x-at' } : undefined
    },
    session: withToken
      ? {
          request: () =>
            writeHttpRequest({ method: 'POST', target: '/token', headers: {}, body: '{}' }),
          read(answer) {
            const { status, body } = readHttpResponse(answer)
            return status === 200
              ? { token: Buffer.from(body).toString(), expiresInMs: 60_000 }
              : undefined
          },
          asks: () => false,
          writeAnswer: token => writeHttpResponse({ status: 200, headers: {}, body: token }),
        }
      : undefined,
    callback: {
      method: 'POST',
      target: '/told',
      read: frame => reading(() => said('payment', readHttpRequest(frame).body)),
      write: () => new Uint8Array(0),
      writeAnswer: taken =>
        writeHttpResponse({ status: taken ? 200 : 403, headers: {}, body: taken ? 'ok' : 'no' }),
    },
    matchKey: ({ kind, reference }) => `${kind}|${reference?.own ?? ''}`,
    codeOf: reason => reason,
    meaningOf: (kind, code) => outcomeOf(kind, code),
    describe: () => [],
  }
}

/** A callback as the biller would send it. */
export function sealedCallback(
  pack: HttpPack,
  told: Record<string, unknown>,
  nowMs = Date.now(),
): { headers: Record<string, string>; body: Uint8Array } {
  const bare = writeHttpRequest({
    method: 'POST',
    target: '/told',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(told),
  })
  const { headers, body } = readHttpRequest(pack.seal(bare, { nowMs, nonce: '1' }))
  return { headers: { ...headers }, body }
}

function outcomeOf(kind: MessageKind, code: string): Outcome {
  const meaning = CODES[code] ?? 'unknown'
  if (meaning === 'declined' && kind === 'status')
    return { meaning: 'nothing', reason: 'no-payment', code }
  const reasons = {
    approved: 'approved',
    declined: 'customer-unknown',
    'sign-on': 'sign-on-required',
  } as const
  const reason = meaning in reasons ? reasons[meaning as keyof typeof reasons] : 'timeout'
  return { meaning, reason, code }
}

function said(kind: MessageKind, body: Uint8Array, asked?: Message): Message {
  const told = JSON.parse(Buffer.from(body).toString('utf8')) as Record<string, string | number>
  if (typeof told['own'] !== 'string') throw new NadiError('PACK_MISSING_FIELD', { path: 'own' })
  const customer = {
    ...asked?.customer,
    ...(told['customer'] !== undefined && { id: String(told['customer']) }),
    ...(told['name'] !== undefined && { name: String(told['name']) }),
  }
  return {
    kind,
    direction: 'response',
    repeat: false,
    trace: asked?.trace ?? '',
    sentAt: asked?.sentAt ?? ('' as Message['sentAt']),
    reference: { ...asked?.reference, own: told['own'] },
    outcome: outcomeOf(kind, String(told['code'])),
    ...(Object.keys(customer).length > 0 && { customer }),
    ...(told['amount'] !== undefined && { amountMinor: minor(BigInt(told['amount'])) }),
    ...(told['serial'] !== undefined && { serial: String(told['serial']) }),
  }
}

function reading(read: () => Message): PackRead {
  try {
    return { tag: 'message', message: read() }
  } catch (error) {
    const wrong = isNadiError(error) ? error : new NadiError('DOCUMENT_SYNTAX', { path: 'body' })
    const fields = new Map<number, string>()
    const reject = {
      error: wrong,
      mti: undefined,
      fields,
      reason: 'format-error',
      response: true,
    } as const
    return { tag: 'reject', reject }
  }
}
