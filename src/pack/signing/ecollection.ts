/**
 * The codec of BNI eCollection. It hides and protects nothing that a person with the two keys could
 * not read; it is what the bank asks for.
 *
 *     reverse(unix time).JSON ─add(clientId)─▶ ─add(secret)─▶ base64url without padding
 *
 * `add` shifts each byte by one of the key's, in the ring of 128: out[i] = (in[i] + key[(i mod n) − 1]) mod 128,
 * where key[−1] is the key's last byte. So the text is ASCII only.
 */
export function encodeECollection(
  json: string,
  { clientId, secret, nowMs }: { clientId: string; secret: string; nowMs: number },
): string | undefined {
  const seconds = String(Math.floor(nowMs / 1000))
  const text = `${reverse(seconds)}.${json}`
  // The ring of 128 holds ASCII only.
  if (Buffer.byteLength(text) !== text.length) return undefined
  return shift(shift(Buffer.from(text, 'latin1'), clientId, 1), secret, 1).toString('base64url')
}

export type ECollection = { readonly json: string; readonly atMs: number }

/** Undefined when it was not encoded with these two keys. */
export function decodeECollection(
  data: string,
  { clientId, secret }: { clientId: string; secret: string },
): ECollection | undefined {
  const text = shift(shift(Buffer.from(data, 'base64url'), secret, -1), clientId, -1).toString(
    'latin1',
  )
  const dot = text.indexOf('.')
  const seconds = reverse(text.slice(0, Math.max(dot, 0)))
  if (!/^\d{9,11}$/.test(seconds)) return undefined
  return { json: text.slice(dot + 1), atMs: Number(seconds) * 1000 }
}

/** What the bank's own codec allows between sending and reading. */
export const ECOLLECTION_WINDOW_MS = 480_000

function shift(bytes: Buffer, key: string, sign: 1 | -1): Buffer {
  const out = Buffer.allocUnsafe(bytes.length)
  for (let i = 0; i < bytes.length; i++) {
    const at = (i % key.length) - 1
    const by = key.charCodeAt(at < 0 ? key.length - 1 : at)
    out[i] = ((bytes[i] as number) + sign * by + 256) & 127
  }
  return out
}

function reverse(text: string): string {
  return Array.from(text).reverse().join('')
}
