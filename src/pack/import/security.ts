import { credentialName } from './line.ts'
import { type Seal, tidy } from './model.ts'
import type { Item } from './yaml.ts'
import { textAt } from './yaml.ts'

/**
 * `security` of OpenAPI as a seal: the first of its alternatives. What a pack cannot do by a header
 * alone is remarked.
 */
export function sealsOf(
  security: Item | undefined,
  schemeOf: (name: string) => Item | undefined,
  remark: (at: Item, text: string) => void,
): Seal[] {
  const [first, ...others] = security?.list ?? []
  if (security && others.length > 0)
    remark(security, `of ${others.length + 1} ways to prove who sends the first is drafted`)
  const seals = new Map<string, Seal>()
  for (const [name, item] of first?.map ?? []) {
    const scheme = schemeOf(name)
    const seal = scheme && sealOf(name, scheme)
    if (seal && !seals.has(seal.header)) seals.set(seal.header, seal)
    else remark(scheme ?? item, `security "${tidy(name)}" is not drafted: ${told(scheme)}`)
  }
  return [...seals.values()]
}

function sealOf(name: string, scheme: Item): Seal | undefined {
  const [type, way] = [textAt(scheme, 'type'), textAt(scheme, 'scheme')?.toLowerCase()]
  if (type === 'http' && way === 'basic') {
    return {
      header: 'authorization',
      rule: 'basic username password',
      credentials: [
        ['username', 'name, our user name'],
        ['password', 'secret, our password'],
      ],
    }
  }
  if (type === 'http' && way === 'bearer') {
    const line = 'secret, what stands in the header: Bearer and the token'
    const rule = 'credential bearerToken'
    return { header: 'authorization', rule, credentials: [['bearerToken', line]] }
  }
  const header = textAt(scheme, 'name')?.toLowerCase() ?? ''
  if (type !== 'apiKey' || textAt(scheme, 'in') !== 'header' || !/^[a-z0-9-]+$/.test(header))
    return undefined
  const credential = credentialName({ name })
  const line = `secret, what stands in ${header}`
  return { header, rule: `credential ${credential}`, credentials: [[credential, line]] }
}

function told(scheme: Item | undefined): string {
  const words = ['type', 'scheme', 'in'].flatMap(key => textAt(scheme, key) ?? [])
  return words.length === 0 ? 'its scheme is not in this file' : tidy(words.join(' '))
}
