import { AssertionFailed, errorText, isNadiError } from '#base'
import type { Random } from '#base'
import type { Log } from '#telemetry'
import { PinProblem } from '../../crypto/pin-block.ts'
import { FRAME_BYTES_MAX } from '../frame.ts'
import {
  COMMANDS,
  isCommandCode,
  parseRequest,
  responseCodeOf,
  TRAILER,
  TRAILER_LENGTH_MAX,
  writeResponse,
} from '../grammar/index.ts'
import type { Command, CommandCode, ParsedRequest, ResponseOf, Values } from '../grammar/index.ts'
import { HostRefusal } from '../host-codes.ts'
import type { HostCode } from '../host-codes.ts'
import type { Answer, BoxSettings, BoxState, Call } from './call.ts'
import { checkChained, HANDLERS } from './commands/index.ts'
import type { Lmk } from './lmk.ts'
import { KeyOpener, lmkInKeys } from './open-keys.ts'

export type BoxOptions = BoxSettings & {
  readonly headerLength: number
  /** Whether the box is in the authorised state when it is switched on. */
  readonly authorised: boolean
  /** Commands that take or show PINs in clear. */
  readonly clearPins: boolean
  /** The first of them is meant where a request names none. */
  readonly lmks: readonly Lmk[]
}

/**
 * One message in, one message out, without a wire:
 *
 *     header │ code, fields, %nn │ X'19' trailer   ──▶   header │ code + 1, error, fields │ X'19' trailer
 */
export class Box {
  readonly #options: BoxOptions
  readonly #lmks: ReadonlyMap<string, Lmk>
  readonly #state: BoxState
  readonly #log: Log

  constructor(options: BoxOptions, { random, log }: { random: Random; log: Log }) {
    const { authorised, pci } = options
    this.#options = options
    this.#lmks = new Map(options.lmks.map(lmk => [lmk.id, lmk]))
    this.#state = {
      settings: options,
      random,
      opener: new KeyOpener({ pci }),
      authorised,
      delayMs: 0,
    }
    this.#log = log
  }

  get authorised(): boolean {
    return this.#state.authorised
  }

  /** What a person does with keys or cards before the box; RA takes it back. */
  authorise(): void {
    this.#state.authorised = true
  }

  get delayMs(): number {
    return this.#state.delayMs
  }

  /** The answer; undefined when there is not even a command code. */
  answer(message: string): string | undefined {
    const { headerLength } = this.#options
    const header = message.slice(0, headerLength)
    const text = message.slice(headerLength)
    if (text.length < 2) return undefined
    const answer = this.#answerCommand(text)
    if (header.length + answer.length <= FRAME_BYTES_MAX) return header + answer
    return `${header}${responseCodeOf(text.slice(0, 2))}80`
  }

  #answerCommand(text: string): string {
    const code = text.slice(0, 2)
    if (!isCommandCode(code)) return `${responseCodeOf(code)}68`
    const body = text.slice(2)
    try {
      return this.#carryOut(code, body)
    } catch (problem) {
      return responseCodeOf(code) + this.#errorCode(code, problem) + trailerOf(body)
    }
  }

  #errorCode(command: string, problem: unknown): HostCode {
    if (problem instanceof AssertionFailed) throw problem
    if (problem instanceof HostRefusal) {
      const { code, field, offset } = problem
      this.#log.debug('a command is refused', { command, code, field, offset })
      return code
    }
    if (problem instanceof PinProblem) return PIN_CODES[problem.why]
    // The answer would be longer than its own length field can say.
    if (isNadiError(problem, 'HSM_REQUEST')) return '80'
    this.#log.error('a command could not be carried out', { command, error: errorText(problem) })
    return '41'
  }

  #carryOut(code: CommandCode, body: string): string {
    const parsed = parseRequest(code, body)
    this.#checkAllowed(code)
    const request = parsed.values
    const { code: error = '00', values } = this.#result(code, parsed)
    const trailer = parsed.trailer === undefined ? '' : TRAILER + parsed.trailer
    return writeResponse(code, error, values, request) + trailer
  }

  #result<C extends CommandCode>(code: C, parsed: ParsedRequest<C>): Answer<C> {
    if (code === 'NK') return this.#chain(parsed as ParsedRequest<'NK'>) as unknown as Answer<C>
    const request = parsed.values
    const lmk = this.#lmkFor(code, parsed)
    const keys = this.#state.opener.openAll(code, request as unknown as Values, lmk)
    // The table has a handler for each code, which the compiler cannot follow through a generic.
    const handle = HANDLERS[code as Exclude<C, 'NK'>] as unknown as (call: Call<C>) => Answer<C>
    return handle({ request, keys, lmk, box: this.#state })
  }

  #checkAllowed(code: CommandCode): void {
    const { authorised, clearPin }: Command = COMMANDS[code]
    if (clearPin === true && !this.#options.clearPins) throw new HostRefusal('68')
    if (authorised === true && !this.#state.authorised) throw new HostRefusal('17')
  }

  #lmkFor<C extends CommandCode>(code: C, { values, lmk: named }: ParsedRequest<C>): Lmk {
    const id = named ?? lmkInKeys(code, values as unknown as Values)
    const lmk = id === undefined ? this.#options.lmks[0] : this.#lmks.get(id)
    if (!lmk) throw new HostRefusal('13', 'lmk')
    return lmk
  }

  #chain({ values }: ParsedRequest<'NK'>): { values: ResponseOf<'NK'> } {
    const headerLength = values.headers === '1' ? this.#options.headerLength : 0
    const responses = values.commands.map(message => {
      const command = message.slice(headerLength)
      if (command.length < 2) throw new HostRefusal('15', 'commands')
      checkChained(command)
      return message.slice(0, headerLength) + this.#answerCommand(command)
    })
    return { values: { count: values.count, responses } }
  }
}

const PIN_CODES = { values: '20', length: '24', format: '23', key: 'A7' } as const

/** The trailer of a message that could not be read as far as there. */
function trailerOf(body: string): string {
  const at = body.lastIndexOf(TRAILER)
  return at < 0 || body.length - at - 1 > TRAILER_LENGTH_MAX ? '' : body.slice(at)
}
