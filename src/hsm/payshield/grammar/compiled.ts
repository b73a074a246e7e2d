import { NadiError } from '#base'
import { HostRefusal } from '../host-codes.ts'
import type { HostCode } from '../host-codes.ts'
import { responseCodeOf } from './command.ts'
import type { Command, Values } from './command.ts'
import { COMMANDS } from './commands.ts'
import type { CommandCode, RequestOf, ResponseOf } from './commands.ts'
import { compileReader, type Read, type Reader } from './read.ts'
import { compileWriter, type Writer } from './write.ts'

type Compiled = {
  readonly command: Command
  readonly request: { readonly read: Reader; readonly write: Writer }
  readonly response: { readonly read: Reader; readonly write: Writer }
  readonly responseCode: string
  readonly answering: ReadonlySet<string>
}

const COMPILED = Object.fromEntries(
  Object.entries(COMMANDS).map(([code, command]) => [code, compile(code, command)]),
) as Readonly<Record<CommandCode, Compiled>>

function compile(code: string, command: Command): Compiled {
  return {
    command,
    request: { read: compileReader(command.request), write: compileWriter(command.request) },
    response: { read: compileReader(command.response), write: compileWriter(command.response) },
    responseCode: responseCodeOf(code),
    answering: new Set(['00', ...(command.warnings ?? [])]),
  }
}

/** A request read: its values by name; the LMK it names; the trailer to give back. */
export type ParsedRequest<C extends CommandCode> = Omit<Read, 'values'> & {
  readonly values: RequestOf<C>
}

/** Reads what stands behind the command code. Throws HostRefusal with the code to answer. */
export function parseRequest<C extends CommandCode>(code: C, text: string): ParsedRequest<C> {
  return COMPILED[code].request.read(text) as unknown as ParsedRequest<C>
}

/**
 * Writes command code and fields, and `%nn` when an LMK is named. Throws HSM_REQUEST when a value
 * is missing or does not fit its field.
 */
export function writeRequest<C extends CommandCode>(
  code: C,
  values: RequestOf<C>,
  lmk?: string,
): string {
  return code + COMPILED[code].request.write(values as Values, {}, lmk)
}

/** What the box said: the error code, and the fields when that code comes with any. */
export type ParsedResponse<C extends CommandCode> = {
  readonly code: string
  readonly values: ResponseOf<C> | undefined
  readonly trailer: string | undefined
}

/**
 * Reads response code, error code and fields; lengths may follow from the request. Throws
 * HSM_RESPONSE when it is not an answer to that command or cannot be read.
 */
export function parseResponse<C extends CommandCode>(
  code: C,
  text: string,
  request: RequestOf<C>,
): ParsedResponse<C> {
  const { response, responseCode, answering } = COMPILED[code]
  const error = text.slice(2, 4)
  if (text.slice(0, 2) !== responseCode || error.length < 2) {
    throw new NadiError('HSM_RESPONSE', { path: code, expected: responseCode })
  }
  if (!answering.has(error)) return { code: error, values: undefined, trailer: undefined }
  try {
    const { values, trailer } = response.read(text.slice(4), request as Values)
    return { code: error, values: values as unknown as ResponseOf<C>, trailer }
  } catch (problem) {
    if (!(problem instanceof HostRefusal)) throw problem
    const path = problem.field === undefined ? code : `${code}.${problem.field}`
    throw new NadiError('HSM_RESPONSE', { path, offset: (problem.offset ?? 0) + 4 })
  }
}

/** Writes response code, error code and, when that code comes with any, the fields. */
export function writeResponse<C extends CommandCode>(
  code: C,
  error: HostCode,
  values: ResponseOf<C> | undefined,
  request: RequestOf<C>,
): string {
  const { response, responseCode, answering } = COMPILED[code]
  const head = responseCode + error
  if (values === undefined || !answering.has(error)) return head
  return head + response.write(values as Values, request as Values)
}
