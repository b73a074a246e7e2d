import { createHash, createHmac, createSign, generateKeyPairSync } from 'node:crypto'
import { request as call } from 'undici'

/** partnerServiceId, as it stands before a customer's number. */
const NUMBER = '99999'
const MINUTE_MS = 60_000

type BankKey = ReturnType<typeof newKey>

export const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })

/** What we are given of it. */
export const pem = (key: BankKey): string =>
  key.publicKey.export({ type: 'spki', format: 'pem' }) as string

type Money = { readonly value: string; readonly currency: string }
/** What these tests look at of an answer's body. */
type Body = {
  readonly responseCode?: string
  readonly responseMessage?: string
  readonly accessToken?: string
  readonly virtualAccountData?: {
    readonly totalAmount: Money
    readonly feeAmount: Money
    readonly billDetails: readonly { readonly billAmount: Money }[]
    readonly paymentFlagStatus: string
    readonly virtualAccountName: string
    readonly virtualAccountTrxType: string
    readonly additionalInfo?: { readonly token?: string; readonly kwh?: string }
  }
}
export type Told = { readonly status: number; readonly body: Body }
export type Extra = Readonly<Record<string, string | undefined>>

let externals = 0

/** A bank made by hand, with nothing of ours but the addresses. */
export class Bank {
  token = ''
  readonly #url: string
  readonly #id: string
  readonly #secret: string
  readonly #key: BankKey

  constructor(url: string, id: string, secret: string, key: BankKey) {
    this.#url = url
    this.#id = id
    this.#secret = secret
    this.#key = key
  }

  /** `atMs`: when it was signed. */
  fetchToken(atMs = Date.now(), clientId = `client-${this.#id}`): Promise<Told> {
    const time = wib(atMs)
    const signature = createSign('sha256').update(`${clientId}|${time}`)
    return this.post('/openapi/v1.0/access-token/b2b', '{"grantType":"client_credentials"}', {
      'x-client-key': clientId,
      'x-timestamp': time,
      'x-signature': signature.sign(this.#key.privateKey, 'base64'),
    })
  }

  async signOn(): Promise<void> {
    this.token = (await this.fetchToken()).body.accessToken ?? ''
  }

  /** A service's request, signed; `change` replaces headers, or takes them out, after the signature. */
  ask(service: string, body: unknown, change: Extra = {}, atMs = Date.now()): Promise<Told> {
    const path = `/openapi/v1.0/transfer-va/${service}`
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const time = wib(atMs)
    const hash = createHash('sha256').update(text).digest('hex')
    const signed = `POST:${path}:${this.token}:${hash}:${time}`
    return this.post(path, text, {
      'x-partner-id': `partner-${this.#id}`,
      'channel-id': '95221',
      'x-external-id': String(++externals),
      'x-timestamp': time,
      authorization: `Bearer ${this.token}`,
      'x-signature': createHmac('sha512', this.#secret).update(signed).digest('base64'),
      ...change,
    })
  }

  async post(path: string, text: string, headers: Extra, method = 'POST'): Promise<Told> {
    const given = { 'content-type': 'application/json', ...headers }
    const sent = Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    )
    const answer = await call(`${this.#url}${path}`, {
      method: method as 'POST',
      headers: sent,
      ...(method === 'POST' && { body: text }),
    })
    const read = await answer.body.text()
    return { status: answer.statusCode, body: read === '' ? {} : JSON.parse(read) }
  }
}

export function wib(atMs: number): string {
  return `${new Date(atMs + 7 * 60 * MINUTE_MS).toISOString().slice(0, 19)}+07:00`
}

export const va = (customer: string, number = NUMBER) => ({
  partnerServiceId: number.padStart(8),
  customerNo: customer,
  virtualAccountNo: `${number.padStart(8)}${customer}`,
})
export const asks = (customer: string, id: string, number = NUMBER) => ({
  ...va(customer, number),
  trxDateInit: wib(Date.now()),
  channelCode: 6011,
  inquiryRequestId: id,
})
export const pays = (
  customer: string,
  id: string,
  value: string,
  flagAdvise = 'N',
  number = NUMBER,
) => ({
  ...va(customer, number),
  virtualAccountName: 'SIAPA SAJA',
  paymentRequestId: id,
  paidAmount: { value, currency: 'IDR' },
  totalAmount: { value, currency: 'IDR' },
  trxDateTime: wib(Date.now()),
  referenceNo: '00000000001',
  flagAdvise,
})
export const about = (customer: string, id: string, number = NUMBER) => ({
  ...va(customer, number),
  inquiryRequestId: id,
})
export function dataOf({ body }: Told) {
  if (!body.virtualAccountData) throw new Error(`there is no bill: ${body.responseCode}`)
  return body.virtualAccountData
}
export const codeOf = ({ status, body }: Told): string => {
  const code = String(body.responseCode)
  return code.startsWith(String(status)) ? code : `${status} but ${code}`
}
