import { createHmac } from 'node:crypto'
import type { Secret } from '#base'

/**
 * Standard Webhooks (specification 1.0.0, "Signature scheme"): HMAC-SHA256 over
 *
 *     webhook-id . webhook-timestamp . body
 *
 * as `v1,BASE64`, one for each secret while they are being changed, with a blank between them. A
 * secret is `whsec_` and the base64 of its bytes.
 */
export function webhookHeaders(
  id: string,
  nowMs: number,
  body: Uint8Array,
  secrets: readonly Secret<string>[],
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
  const signatures = secrets.map(secret => {
    const key = Buffer.from(secret.reveal().replace(/^whsec_/, ''), 'base64')
    return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}
