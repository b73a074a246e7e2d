import { isNadiError, SeededRandom } from '#base'
import { FrameReader } from '../../src/hsm/payshield/frame.ts'
import {
  COMMANDS,
  type CommandCode,
  isCommandCode,
  parseRequest,
  parseResponse,
  responseCodeOf,
  writeResponse,
} from '../../src/hsm/payshield/grammar/index.ts'
import { HostRefusal, isHostCode } from '../../src/hsm/payshield/host-codes.ts'
import { payShieldSimulator } from '../../src/hsm/payshield/simulator/index.ts'
import { hold } from './hold.ts'

const CODES = Object.keys(COMMANDS) as CommandCode[]
const HEADER = '0001'
const FRAME_BYTES_MAX = 2048
/** A fault of the box: no request may bring one about. */
const FAULT = '41'

/** Everything switched on, and chance that repeats itself. */
const box = payShieldSimulator({
  port: 0,
  clearPins: true,
  random: new SeededRandom(1),
})

/**
 * Host commands of a payShield, as the simulator reads them and as the client reads its answers:
 *
 *     ┌──────┬────────────────────────────────────────────────┐
 *     │ what │ a message, a stream of frames, or an answer    │
 *     └──────┴────────────────────────────────────────────────┘
 */
export function host(data: Uint8Array): void {
  const rest = data.subarray(1)
  const what = (data[0] ?? 0) % 3
  if (what === 0) message(Buffer.from(rest).toString('latin1'))
  else if (what === 1) stream(rest)
  else answer(rest)
}

/** Whatever is asked, the answer is that command's, has a code of the table, and can be read. */
function message(text: string): void {
  // A command before this one may have left it.
  box.authorise()
  const told = box.answer(HEADER + text)
  hold((told === undefined) === text.length < 2, 'there is an answer where there is a command')
  if (told === undefined) return
  hold(told.startsWith(HEADER), 'the header comes back')
  hold(told.length <= 0xffff, 'an answer fits into a frame')
  const own = told.slice(HEADER.length)
  const code = text.slice(0, 2)
  hold(own.slice(0, 2) === responseCodeOf(code), 'the answer is that of the command')
  hold(isHostCode(own.slice(2, 4)), 'its error code is one of the table')
  hold(own.slice(2, 4) !== FAULT, 'no request brings about a fault')
  if (isCommandCode(code)) comesBack(code, text.slice(2), own)
}

/** The client reads an answer as it was meant. */
function comesBack(code: CommandCode, body: string, own: string): void {
  let request
  try {
    request = parseRequest(code, body)
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error
    return hold(own.slice(2, 4) !== '00', 'what cannot be read is not carried out')
  }
  const read = parseResponse(code, own, request.values)
  if (!read.values || !isHostCode(read.code)) return
  const again = writeResponse(code, read.code, read.values, request.values)
  hold(own.startsWith(again), 'what was read writes the same answer')
}

/** A stream is told apart alike however it is cut, and what is kept of it is bounded. */
function stream(bytes: Uint8Array): void {
  const whole = cut([bytes])
  const pieces = cut(Array.from(bytes, byte => Uint8Array.of(byte)))
  hold(whole.refused === pieces.refused, 'chunks do not decide whether a stream is refused')
  hold(whole.told.join('|') === pieces.told.join('|'), 'chunks do not decide what is in a stream')
  for (const text of whole.told) message(text.slice(HEADER.length))
}

function cut(chunks: readonly Uint8Array[]): { told: string[]; refused: boolean } {
  const reader = new FrameReader(FRAME_BYTES_MAX)
  const told: string[] = []
  try {
    for (const chunk of chunks) {
      reader.push(chunk, frame => told.push(frame.toString('latin1')))
      hold(reader.bytesPending <= FRAME_BYTES_MAX + 2 + chunk.length, 'what is kept is bounded')
    }
    return { told, refused: false }
  } catch (error) {
    if (!isNadiError(error, 'FRAME_LENGTH')) throw error
    return { told, refused: true }
  }
}

/** Whatever a box answers, the client reads it or says that it cannot. */
function answer(bytes: Uint8Array): void {
  const code = CODES[(bytes[0] ?? 0) % CODES.length] as CommandCode
  const text = Buffer.from(bytes.subarray(1)).toString('latin1')
  try {
    parseResponse(code, responseCodeOf(code) + text, {} as never)
  } catch (error) {
    if (!isNadiError(error, 'HSM_RESPONSE')) throw error
  }
}
