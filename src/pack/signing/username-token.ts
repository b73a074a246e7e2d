import { createHash } from 'node:crypto'

/**
 * WS-Security UsernameToken Profile 1.1 (OASIS), with a password in clear or digested:
 *
 *     Password_Digest = base64(sha1(nonce + created + password))
 */
export type UsernameToken = {
  readonly username: string
  readonly password: string
  /** Of the digest: base64, and UTC with a Z. */
  readonly nonce?: string
  readonly created?: string
}

export function passwordDigest(nonceBase64: string, created: string, password: string): string {
  return createHash('sha1')
    .update(Buffer.from(nonceBase64, 'base64'))
    .update(created)
    .update(password)
    .digest('base64')
}

export function usernameToken(
  kind: 'text' | 'digest',
  {
    username,
    password,
    nowMs,
    nonce,
  }: { username: string; password: string; nowMs: number; nonce: string },
): UsernameToken {
  if (kind === 'text') return { username, password }
  const created = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z')
  const nonceBase64 = Buffer.from(nonce).toString('base64')
  const digest = passwordDigest(nonceBase64, created, password)
  return { username, password: digest, nonce: nonceBase64, created }
}
