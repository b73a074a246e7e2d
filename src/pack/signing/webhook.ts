import { hmac } from './digest.ts'
import { sameSignature } from './same.ts'
import { withinWindow } from './window.ts'

/**
 * Standard Webhooks (specification 1.0, signature scheme): three headers,
 *
 *     webhook-id: msg_…   webhook-timestamp: unix seconds   webhook-signature: v1,BASE64 v1,BASE64
 *
 * each signature an HMAC-SHA256 over `id.timestamp.body`. While a secret is rotated, there is one for
 * the old and one for the new.
 */
export type WebhookHeaders = {
  readonly 'webhook-id': string
  readonly 'webhook-timestamp': string
  readonly 'webhook-signature': string
}

/** `secrets` as `whsec_BASE64`, or as the base64 alone; the newest first. */
export function signWebhook(
  body: Uint8Array,
  { id, nowMs, secrets }: { id: string; nowMs: number; secrets: readonly string[] },
): WebhookHeaders {
  const timestamp = String(Math.floor(nowMs / 1000))
  const content = toSign(id, timestamp, body)
  const signatures = secrets.map(secret => `v1,${hmac('sha256', keyOf(secret), content, 'base64')}`)
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  }
}

export type WebhookProblem = { readonly tag: 'missing' | 'forged' | 'stale'; readonly path: string }

/** What is wrong with it, or undefined. The window is on both sides of now; the standard says 5 minutes. */
export function checkWebhook(
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
  {
    nowMs,
    secrets,
    windowMs = WEBHOOK_WINDOW_MS,
  }: { nowMs: number; secrets: readonly string[]; windowMs?: number },
): WebhookProblem | undefined {
  const [id, timestamp, signature] = NAMES.map(name => headers[name])
  if (id === undefined) return { tag: 'missing', path: 'webhook-id' }
  if (timestamp === undefined) return { tag: 'missing', path: 'webhook-timestamp' }
  if (signature === undefined) return { tag: 'missing', path: 'webhook-signature' }
  if (!/^\d{9,11}$/.test(timestamp)) return { tag: 'stale', path: 'webhook-timestamp' }
  if (!withinWindow(Number(timestamp) * 1000, nowMs, windowMs)) {
    return { tag: 'stale', path: 'webhook-timestamp' }
  }
  const content = toSign(id, timestamp, body)
  const good = secrets.some(secret => {
    const expected = hmac('sha256', keyOf(secret), content, 'base64')
    return signature
      .split(' ')
      .slice(0, SIGNATURES_MAX)
      .some(one => one.startsWith('v1,') && sameSignature(expected, one.slice(3), 'base64'))
  })
  return good ? undefined : { tag: 'forged', path: 'webhook-signature' }
}

export const WEBHOOK_WINDOW_MS = 300_000
const SIGNATURES_MAX = 8
const NAMES = ['webhook-id', 'webhook-timestamp', 'webhook-signature'] as const

function keyOf(secret: string): Uint8Array {
  return Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
}

function toSign(id: string, timestamp: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body])
}
