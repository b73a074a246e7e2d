import { createHmac, createPrivateKey, createPublicKey, hash, sign, verify } from 'node:crypto'

/** What a signature or digest is computed with. MD5 and SHA-1 only because counterparts demand them. */
export const HASHES = ['md5', 'sha1', 'sha256', 'sha512'] as const
export type Hash = (typeof HASHES)[number]

export const ENCODINGS = ['hex', 'base64', 'base64url'] as const
export type Encoding = (typeof ENCODINGS)[number]

type Data = string | Uint8Array

export function digest(algorithm: Hash, data: Data, encoding: Encoding = 'hex'): string {
  return hash(algorithm, data, encoding)
}

/** Keyed digest (RFC 2104). */
export function hmac(algorithm: Hash, key: Data, data: Data, encoding: Encoding): string {
  return createHmac(algorithm, key).update(data).digest(encoding)
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2): what Java calls SHA256withRSA. The key is PEM. */
export function rsaSign(privateKeyPem: string, data: Data, encoding: Encoding): string {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return sign('sha256', bytes, createPrivateKey(privateKeyPem)).toString(encoding)
}

/** Whether the signature is good; a text that is no signature at all is not. */
export function rsaVerify(
  publicKeyPem: string,
  data: Data,
  signature: string,
  encoding: Encoding,
): boolean {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  return verify('sha256', bytes, createPublicKey(publicKeyPem), Buffer.from(signature, encoding))
}
