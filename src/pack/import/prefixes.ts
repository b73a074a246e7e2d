/** The prefixes of the pack by namespace; asking for one makes it. */
export class Prefixes {
  readonly all = new Map<string, string>()
  readonly #byUri = new Map<string, string>()

  of(uri: string): string {
    const known = this.#byUri.get(uri)
    if (known !== undefined) return known
    const prefix = this.all.size === 0 ? 'b' : `b${this.all.size + 1}`
    this.all.set(prefix, uri)
    this.#byUri.set(uri, prefix)
    return prefix
  }

  key(uri: string, name: string): string {
    return uri === '' ? name : `${this.of(uri)}:${name}`
  }
}
