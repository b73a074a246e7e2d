import type { MessageKind, Outcome } from '#message'
import type { Check } from '../check.ts'
import type { CodeTable } from '../codes.ts'
import type { MapTree } from '../source.ts'
import { type DocNode, nodeBy, type Steps, stepsOf } from './node.ts'

/** A code that several fields tell together: status 00, but "in process" in words. */
type Told = {
  readonly code: string
  readonly fields: readonly {
    readonly path: string
    readonly steps: Steps
    readonly text: string
    /** It is enough that the text stands in it, in any case; of no text, that there is something. */
    readonly within: boolean
  }[]
}

/**
 * How a dialect tells the outcome.
 *
 *     outcome:
 *       code: data.rc or data.response_code
 *       believe: 2xx 4xx            of which HTTP statuses the body is believed
 *       status: code 1..3           answers bear the first three digits of the code as their status
 *       service: 4..5               these digits of the code are the message's own service number
 *       told-as:
 *         in-process: { status: '00', keterangan: ~SEDANG DIPROSES }
 *         paid: { payment_ntb: '~' }
 *
 * In `codes`, `http 503`, `http 5xx` and `http unreadable` stand for answers without a body that is
 * believed, and `fault Server` for faults of SOAP and XML-RPC.
 */
export class OutcomeRules {
  readonly #paths: readonly Steps[]
  readonly #believed: readonly string[]
  readonly #told: readonly Told[]
  readonly #statusDigits: number
  readonly #service: readonly [from: number, to: number] | undefined
  readonly #codes: CodeTable
  readonly #rows: ReadonlySet<string>
  readonly #written = new Map<string, Written>()

  constructor(compiled: CompiledOutcome, codes: CodeTable, rows: ReadonlySet<string>) {
    this.#paths = compiled.paths.map(stepsOf)
    this.#believed = compiled.believed
    this.#told = compiled.told
    this.#statusDigits = compiled.statusDigits
    this.#service = compiled.service
    this.#codes = codes
    this.#rows = rows
  }

  /** Answers bear a part of their code as HTTP status. */
  get codeHoldsStatus(): boolean {
    return this.#statusDigits > 0
  }

  believes(status: number): boolean {
    return this.#believed.some(one =>
      one.endsWith('xx') ? Number(one[0]) === Math.floor(status / 100) : Number(one) === status,
    )
  }

  /** The outcome that the fields of an answer tell. */
  read(kind: MessageKind, root: DocNode, service: string): Outcome {
    for (const { code, fields } of this.#told) {
      if (holdsAll(root, fields)) return this.ofCode(kind, code)
    }
    let code = ''
    for (const path of this.#paths) {
      const node = nodeBy(root, path)
      if (node && node.tag !== 'null') {
        code = node.text
        break
      }
    }
    if (!this.#service) return this.ofCode(kind, code)
    const [from, to] = this.#service
    // The code of another service is no answer to this request.
    const own = code.slice(from - 1, to) === service
    return this.ofCode(kind, own ? code.slice(0, from - 1) + code.slice(to) : 'foreign')
  }

  /** What a code means in an answer of that kind. */
  ofCode(kind: MessageKind, code: string): Outcome {
    return this.#codes.outcomeOf(kind, code)
  }

  /** Of an answer whose body is not believed, not there, or no document. */
  ofStatus(kind: MessageKind, status: number): Outcome {
    const exact = `http ${status}`
    const names = [exact, `http ${Math.floor(status / 100)}xx`]
    if (status < 300) names.unshift('http unreadable')
    const row = names.find(name => this.#rows.has(name)) ?? 'http other'
    const { meaning, reason } = this.#codes.outcomeOf(kind, row)
    return { meaning, reason, code: exact }
  }

  ofFault(kind: MessageKind, fault: string): Outcome {
    const { meaning, reason } = this.#codes.outcomeOf(kind, `fault ${fault}`)
    return { meaning, reason, code: `fault ${fault}` }
  }

  /** How an outcome is written. */
  toWrite(kind: MessageKind, outcome: Outcome, service: string): Written {
    const said = outcome.code ?? ''
    const http = said.startsWith('http ') ? said.slice(5) : undefined
    if (
      http !== undefined &&
      /^[1-5]\d\d$/.test(http) &&
      sameOutcome(this.ofStatus(kind, Number(http)), outcome)
    ) {
      return { status: Number(http), code: undefined, fault: undefined, fields: undefined }
    }
    const fault = said.startsWith('fault ') ? said.slice(6) : undefined
    if (fault !== undefined && sameOutcome(this.ofFault(kind, fault), outcome)) {
      return { status: 200, code: undefined, fault, fields: undefined }
    }
    return this.writtenAs(this.#codes.codeFor(kind, outcome), service)
  }

  /** Of the table's codes some are no text in a body: faults, and statuses of HTTP alone. */
  writtenAs(code: string, service: string): Written {
    const key = service + code
    let written = this.#written.get(key)
    if (!written) {
      written = this.#asWritten(code, service)
      if (this.#written.size < WRITTEN_MAX) this.#written.set(key, written)
    }
    return written
  }

  #asWritten(code: string, service: string): Written {
    if (code.startsWith('fault ')) {
      return { status: 200, code: undefined, fault: code.slice(6), fields: undefined }
    }
    const http = /^http ([1-5]\d\d)$/.exec(code)?.[1]
    if (http !== undefined) {
      return { status: Number(http), code: undefined, fault: undefined, fields: undefined }
    }
    const told = this.#told.find(one => one.code === code)
    const fixed = told?.fields.filter(({ text }) => text !== '')
    const fields = fixed && new Map(fixed.map(({ path, text }) => [path, text]))
    return {
      status: this.#statusFor(code),
      code: this.#withService(code, service),
      fault: undefined,
      fields,
    }
  }

  #statusFor(code: string): number {
    const status = this.#statusDigits > 0 ? Number(code.slice(0, this.#statusDigits)) : 200
    return Number.isInteger(status) && status >= 200 && status <= 599 ? status : 200
  }

  #withService(code: string, service: string): string {
    if (!this.#service) return code
    const at = this.#service[0] - 1
    return code.slice(0, at) + service + code.slice(at)
  }
}

/** A table's codes, and the few beside that are told on. */
const WRITTEN_MAX = 1024

/** `status` is that of a body; a fault's is its content's own. */
export type Written = {
  readonly status: number
  readonly code: string | undefined
  readonly fault: string | undefined
  readonly fields: ReadonlyMap<string, string> | undefined
}

function sameOutcome(a: Outcome, b: Outcome): boolean {
  return a.meaning === b.meaning && a.reason === b.reason
}

function holdsAll(root: DocNode, fields: Told['fields']): boolean {
  for (const field of fields) if (!holds(root, field)) return false
  return true
}

function holds(root: DocNode, { steps, text, within }: Told['fields'][number]): boolean {
  const node = nodeBy(root, steps)
  if (!node) return false
  if (within && text === '') return node.tag !== 'null' && node.text.trim() !== ''
  return within ? node.text.toUpperCase().includes(text) : node.text === text
}

export type CompiledOutcome = {
  readonly paths: readonly (readonly string[])[]
  readonly believed: readonly string[]
  readonly told: readonly Told[]
  readonly statusDigits: number
  readonly service: readonly [number, number] | undefined
}

export function compileOutcome(check: Check, map: MapTree): CompiledOutcome | undefined {
  check.only(map, ['code', 'believe', 'status', 'service', 'told-as'])
  const code = check.need(map, 'code')
  const line = code && check.text(code.value, 'code')
  if (!line) return undefined
  return {
    paths: line.text.split(' or ').map(path => path.trim().split('.')),
    believed: compileBelieved(check, map),
    told: compileTold(check, map),
    statusDigits: compileRange(check, map, 'status', /^code (1)\.\.(3)$/, 'code 1..3')?.[1] ?? 0,
    service: compileRange(check, map, 'service', /^(\d)\.\.(\d)$/, '4..5'),
  }
}

function compileBelieved(check: Check, map: MapTree): string[] {
  const entry = map.entries.get('believe')
  const line = entry && check.text(entry.value, 'believe')
  const statuses = line?.text.split(' ') ?? ['2xx', '4xx']
  for (const status of statuses) {
    if (line && !/^[1-5](xx|\d\d)$/.test(status)) {
      check.wrong(line.at, `"${status}" is no HTTP status; write 2xx, 404`)
    }
  }
  return statuses
}

function compileRange(
  check: Check,
  map: MapTree,
  key: string,
  pattern: RegExp,
  example: string,
): readonly [number, number] | undefined {
  const entry = map.entries.get(key)
  const line = entry && check.text(entry.value, key)
  if (!line) return undefined
  const match = pattern.exec(line.text)
  if (match) return [Number(match[1]), Number(match[2])]
  return check.wrong(line.at, `"${line.text}" must read like "${example}"`)
}

function compileTold(check: Check, map: MapTree): Told[] {
  const entry = map.entries.get('told-as')
  const codes = entry && check.map(entry.value, 'told-as')
  const told: Told[] = []
  for (const [code, { value }] of codes?.entries ?? []) {
    const fields = check.map(value, code)
    told.push({
      code,
      fields: [...(fields?.entries ?? [])].flatMap(([path, field]) => {
        const line = check.text(field.value, path)
        if (!line) return []
        const within = line.text.startsWith('~')
        const text = within ? line.text.slice(1).toUpperCase() : line.text
        return [{ path, steps: stepsOf(path.split('.')), text, within }]
      }),
    })
  }
  return told
}
