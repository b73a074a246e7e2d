import type { IncomingMessage } from 'node:http'

/** One link's callbacks: where they come in, from whom, and who takes them. */
export type CallbackRoute = {
  /** `/digiflazz`: this path and all below it. `/`: every path that is nobody else's. */
  readonly prefix: string
  /** Takes an address with or without a port. */
  readonly mayCall: (peer: string) => boolean
  /** Somebody called from an address that is none of theirs. */
  turnedAway(peer: string): void
  /** The request as one frame (#http), its target as it is behind the prefix; resolves with the answer's. */
  take(frame: Uint8Array, peer: string): Promise<Uint8Array>
}

/** The longest prefix counts. */
export function routeFor(routes: readonly CallbackRoute[], url: string): CallbackRoute | undefined {
  let best: CallbackRoute | undefined
  for (const route of routes)
    if (isBelow(route.prefix, url) && route.prefix.length > (best?.prefix.length ?? 0)) best = route
  return best
}

function isBelow(prefix: string, url: string): boolean {
  if (prefix === '/') return url.startsWith('/')
  return url.startsWith(prefix) && ['/', '?', undefined].includes(url[prefix.length])
}

/** `/digiflazz/x?y=1` behind `/digiflazz` is `/x?y=1`. */
export function targetBehind(prefix: string, url: string): string {
  const rest = prefix === '/' ? url : url.slice(prefix.length)
  return rest.startsWith('/') ? rest : `/${rest}`
}

export function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const told: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) told[name] = Array.isArray(value) ? value.join(', ') : value
  return told
}
