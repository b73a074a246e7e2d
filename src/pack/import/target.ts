/** The path and query of an address, as a call has them; `/` where it has none that can stand there. */
export function targetOf(address: string | undefined): string {
  const target = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^#]*)/i.exec(address ?? '')?.[1] ?? ''
  const plain = /^[\x21-\x7e]*$/.test(target) && !/[{}]/.test(target) ? target : ''
  return plain.startsWith('/') ? plain : `/${plain}`
}
