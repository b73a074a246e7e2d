import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { errorText } from '#base'
import type { Place } from '#conformance'
import type { HttpPack, Pack } from '#pack'
import { hostPort } from '../parse.ts'
import { UsageError } from '../usage.ts'

/** Where a counterpart is: a URL over HTTP, host:port for frames. */
export function placeAt(text: string, pack: Pack | HttpPack): Place {
  if (!('transport' in pack)) return { tag: 'tcp', ...hostPort(text) }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:')
    return { tag: 'http', url: text.replace(/\/$/, '') }
  throw new UsageError(`${pack.name} is spoken over HTTP: --against must be a URL, not ${text}`)
}

/** `pdam=1234567`, once for each number. */
export function customersOf(texts: readonly string[]): Record<string, string[]> {
  const customers: Record<string, string[]> = {}
  for (const text of texts) {
    const [, product, number] = /^([a-z0-9-]+)=([0-9A-Za-z-]{1,40})$/.exec(text) ?? []
    if (product === undefined || number === undefined)
      throw new UsageError(`--customer cannot be ${text}; wanted is PRODUCT=NUMBER`)
    ;(customers[product] ??= []).push(number)
  }
  return customers
}

/** Credentials by name, from a YAML file; never shown. */
export function readCredentials(file: string): Record<string, string> {
  let told: unknown
  try {
    told = parse(readFileSync(file, 'utf8'), { schema: 'failsafe' })
  } catch (error) {
    throw new UsageError(`the file ${file} cannot be read (${errorText(error)})`)
  }
  const isMap = typeof told === 'object' && told !== null && !Array.isArray(told)
  if (isMap && Object.values(told as object).every(value => typeof value === 'string'))
    return told as Record<string, string>
  throw new UsageError(`the file ${file} must hold a map of credentials by name`)
}
