import { compileTemplate, type Template } from './template.ts'

/**
 * The strings to sign of SNAP BI (ASPI, "Standar Teknis dan Keamanan", signature section), in words of template.ts.
 *
 *   token       asymmetric, RSA-SHA256 by the client's own key      clientId|timestamp
 *   symmetric   HMAC-SHA512 with the client secret                  METHOD:target:token:hash:timestamp
 *   asymmetric  RSA-SHA256, services without a token                METHOD:target:hash:timestamp
 *
 * The hash is the lower-case hexadecimal SHA-256 of the minified body. ASPI's text has the query in
 * the target; banks that leave it out are told with `path` in its place.
 */
export const SNAP_TOKEN = '{header x-client-key}|{header x-timestamp}'
export const SNAP_SYMMETRIC = '{method}:{target}:{token}:{sha256 minified}:{header x-timestamp}'
export const SNAP_ASYMMETRIC = '{method}:{target}:{sha256 minified}:{header x-timestamp}'

export const SNAP: Readonly<Record<'token' | 'symmetric' | 'asymmetric', Template>> = {
  token: mustCompile(SNAP_TOKEN),
  symmetric: mustCompile(SNAP_SYMMETRIC),
  asymmetric: mustCompile(SNAP_ASYMMETRIC),
}

function mustCompile(text: string): Template {
  const template = compileTemplate(text)
  if (typeof template === 'string') throw new TypeError(template)
  return template
}
