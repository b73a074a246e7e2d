/** Lines of code that grow, indented as blocks open and close. */
export class Lines {
  readonly #lines: string[] = []
  #depth = 0

  add(...lines: readonly string[]): this {
    for (const line of lines) {
      if (line.startsWith('}')) this.#depth--
      this.#lines.push('  '.repeat(this.#depth) + line)
      if (line.endsWith('{')) this.#depth++
    }
    return this
  }

  text(): string {
    return this.#lines.join('\n')
  }
}

/** Where code cannot be made for something, the general way is taken for all of the message. */
export class NotStraight extends Error {}

/** The name of a path in code: `customer.id`, `bills[].offPeak[0]`. */
export function nameOf(path: string): string {
  return `v_${path.replace(/\W+/g, '_').replace(/_$/, '')}`
}

export const quoted = (text: string): string => JSON.stringify(text)

/**
 * Makes a function of code and of what it refers to by name. The code comes from the compiler in
 * this folder only. Of a pack's own text nothing gets into it but numbers, paths that the dictionary
 * knows, and constants in quotes: a pack is data, and cannot run anything.
 */
export function functionOf(
  parameters: readonly string[],
  code: string,
  given: Readonly<Record<string, unknown>>,
): unknown {
  const names = Object.keys(given)
  const body = `'use strict'\nreturn function (${parameters.join(', ')}) {\n${code}\n}`
  // oxlint-disable-next-line typescript/no-implied-eval -- straight code is what this folder is for
  const make = new Function(...names, body) as (...values: unknown[]) => unknown
  return make(...names.map(name => given[name]))
}
