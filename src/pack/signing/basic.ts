/** HTTP Basic (RFC 7617), in UTF-8. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
}

/** The token of a Bearer header (RFC 6750, 2.1), or undefined. */
export function bearer(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(header ?? '')?.[1]
}
