import { createHash, timingSafeEqual } from 'node:crypto'
import { NadiError, type Secret } from '#base'

/** Whoever has this token is this operator. Only its SHA-256 is known here, in hexadecimal. */
export type Operator = { readonly name: string; readonly tokenDigest: string }

const BEARER = 'Bearer '

/** Who asks: told by the token alone, never by what somebody says of themselves. */
export class Credentials {
  readonly #known: readonly { readonly name: string | undefined; readonly digest: Buffer }[]

  /** `shared` is a lab's one token, which lets in whoever has it, under any name. */
  constructor(shared: Secret<string> | undefined, operators: readonly Operator[]) {
    this.#known = [
      ...(shared ? [{ name: undefined, digest: digest(shared.reveal()) }] : []),
      ...operators.map(({ name, tokenDigest }) => ({
        name,
        digest: Buffer.from(tokenDigest, 'hex'),
      })),
    ]
  }

  /** The operator's name; undefined for whoever has the shared token. Throws ADMIN_UNAUTHORIZED. */
  whoIs(authorization = ''): string | undefined {
    const token = authorization.startsWith(BEARER) ? authorization.slice(BEARER.length) : ''
    const given = digest(token)
    // All of them, and digests of one length: the time it takes tells nothing about a token.
    const [found] = this.#known.filter(({ digest: one }) => timingSafeEqual(one, given))
    if (found && token !== '') return found.name
    throw new NadiError('ADMIN_UNAUTHORIZED')
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
