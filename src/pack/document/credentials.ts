import { NadiError } from '#base'
import type { Check } from '../check.ts'
import type { Credentials, CredentialSpec } from '../http-pack.ts'
import type { MapEntry } from '../source.ts'

/** Begins and ends the place of a secret in an unsealed body: no text of a message can hold it raw. */
const MARK = '\u0001'
const MARK_BYTE = 0x01

/**
 * The credentials of one link. A name (`username`) is written into a frame at once. A secret is not,
 * so that no journal keeps it: its place is marked, and filled when the frame is sealed.
 *
 *     {"uid":"SP0000","pin":"␁pin␁"}  ─seal─▶  {"uid":"SP0000","pin":"123456"}
 */
export class CredentialBook {
  readonly #specs: ReadonlyMap<string, CredentialSpec>
  readonly #given: Credentials

  constructor(specs: ReadonlyMap<string, CredentialSpec>, given: Credentials) {
    this.#specs = specs
    this.#given = given
  }

  /** Throws PACK_CREDENTIAL when it was not given. */
  reveal(name: string): string {
    const value = this.#given[name]?.reveal()
    if (value === undefined) throw new NadiError('PACK_CREDENTIAL', { path: name })
    return value
  }

  has(name: string): boolean {
    return this.#given[name] !== undefined
  }

  isSecret(name: string): boolean {
    return this.#specs.get(name)?.kind !== 'name'
  }
}

export function marked(name: string): string {
  return `${MARK}${name}${MARK}`
}

/** The body with every marked place filled by what `fill` says for its name. */
export function fillMarks(body: Uint8Array, fill: (name: string) => string): Uint8Array {
  if (!body.includes(MARK_BYTE)) return body
  const parts = Buffer.from(body).toString('utf8').split(MARK)
  return Buffer.from(parts.map((part, index) => (index % 2 === 1 ? fill(part) : part)).join(''))
}

const KINDS = ['name', 'secret', 'private-key', 'public-key'] as const

/**
 * `credentials:`, one line each.
 *
 *     credentials:
 *       username: name, the account's user name
 *       webhookSecret: secret optional, what their webhooks are signed with
 */
export function compileCredentials(
  check: Check,
  entry: MapEntry | undefined,
): ReadonlyMap<string, CredentialSpec> {
  const specs = new Map<string, CredentialSpec>()
  const map = entry && check.map(entry.value, 'credentials')
  for (const [name, { at, value }] of map?.entries ?? []) {
    const line = check.text(value, `credential ${name}`)
    const match = line && /^(\S+?)( optional)?,\s*(.+)$/.exec(line.text)
    const kind = KINDS.find(one => one === match?.[1])
    if (!/^[A-Za-z][A-Za-z0-9]*$/.test(name))
      check.wrong(at, `"${name}" is no name of a credential`)
    else if (!match || !kind) {
      if (line) {
        const form = `KIND[ optional], what it is; kinds are ${KINDS.join(', ')}`
        check.wrong(line.at, `"${line.text}" must read ${form}`)
      }
    } else {
      const optional = match[2] !== undefined
      specs.set(name, { name, kind, optional, text: match[3] as string })
    }
  }
  return specs
}
