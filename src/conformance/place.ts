import type { HttpPlace } from '#link'

/** Where a counterpart is: a host and port for frames, a URL for HTTP. */
export type Place =
  | { readonly tag: 'tcp'; readonly host: string; readonly port: number }
  | ({ readonly tag: 'http' } & HttpPlace)

/** `127.0.0.1:18583` as a place for frames. */
export function tcpPlace(address: string): Place {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  return { tag: 'tcp', host, port: Number(address.slice(colon + 1)) }
}

export function shownPlace(place: Place): string {
  return place.tag === 'tcp' ? `${place.host}:${place.port}` : place.url
}
