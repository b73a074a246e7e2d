import { type Clock, localTime, Secret } from '#base'
import { readHttpRequest, writeHttpRequest } from '#http'
import type { Message } from '#message'
import type { CredentialSpec, HttpPack, Pack } from '#pack'
import type { Crossed } from './report.ts'
import { linesOf, whatIs } from './crossed.ts'
import type { Place } from './place.ts'
import { exchange, FrameSpeaker, type Heard } from './speaker.ts'

/** How something is said. */
export type Manner =
  | 'well'
  /** Two of the same at once. */
  | 'twice'
  | 'byte-by-byte'
  /** Only the first two thirds, in a whole frame. */
  | 'cut-short'
  /** As something that it is not: another content type. */
  | 'misnamed'
  /** With secrets that are not ours. */
  | 'forged'
  /** And hung up before any answer. */
  | 'hung-up'
  /** Behind a header that lies about the length. */
  | 'lying-length'
  /** Half of it, and then no more. */
  | 'half'
  /** Before any sign-on. */
  | 'unsigned'

export type Said = {
  readonly answers: readonly (Message | undefined)[]
  readonly closed: string | undefined
  readonly crossed: readonly Crossed[]
}

type Parts = {
  readonly pack: Pack | HttpPack
  readonly place: Place
  readonly patienceMs: number
  readonly clock: Clock
  readonly signOn: Message
}

/** Says a message by hand, on a line of its own, well or badly, and reads what comes back. */
export class Mouth {
  readonly #parts: Parts
  #token: string | undefined
  #nonce = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async say(message: Message, manner: Manner = 'well'): Promise<Said> {
    const { pack } = this.#parts
    const atMs = this.#parts.clock.nowMs()
    const frame = pack.write(message)
    const heard =
      'transport' in pack
        ? await this.#sayHttp(pack, message, manner)
        : await this.#sayFrames(pack, frame, manner)
    const answers = heard.frames.map(one => this.#read(pack, one, message))
    const sent: Crossed = {
      atMs,
      direction: 'sent',
      what: `${whatIs(pack, frame, true)}${manner === 'well' ? '' : ` (${manner})`}`,
      lines: linesOf(pack, frame),
    }
    const got = heard.frames.map((one): Crossed => {
      const gotAtMs = this.#parts.clock.nowMs()
      const what = whatIs(pack, one, false)
      return { atMs: gotAtMs, direction: 'got', what, lines: linesOf(pack, one) }
    })
    return { answers, closed: heard.closed, crossed: [sent, ...got] }
  }

  #read(pack: Pack | HttpPack, frame: Uint8Array, asked: Message): Message | undefined {
    const read = 'transport' in pack ? pack.readAnswer(frame, asked) : pack.read(frame)
    return read.tag === 'message' ? read.message : undefined
  }

  async #sayFrames(pack: Pack, frame: Uint8Array, manner: Manner): Promise<Heard> {
    const { place, clock, patienceMs, signOn } = this.#parts
    const speaker = new FrameSpeaker(pack, place as Place & { tag: 'tcp' }, clock)
    try {
      if (!(await speaker.open(patienceMs))) return { frames: [], closed: 'no line' }
      const withinMs = patienceMs
      if (pack.conversation.signOn && manner !== 'unsigned')
        await speaker.say([speaker.wrap(pack.write(signOn))], { withinMs })
      const bytes = speaker.wrap(frame)
      switch (manner) {
        case 'twice':
          return await speaker.say([Buffer.concat([bytes, bytes])], { answers: 2, withinMs })
        case 'byte-by-byte':
          return await speaker.say(
            Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
            { withinMs },
          )
        case 'cut-short':
          return await speaker.say([speaker.wrap(shortened(frame))], { withinMs })
        case 'hung-up':
          await speaker.say([bytes], { answers: 0 })
          return { frames: [], closed: 'we hung up' }
        case 'lying-length':
          return await speaker.say([lying(bytes, frame)], { withinMs })
        case 'half':
          return await speaker.say([bytes.subarray(0, bytes.length >> 1)], { withinMs })
        default:
          return await speaker.say([bytes], { withinMs })
      }
    } finally {
      speaker.hangUp()
    }
  }

  async #sayHttp(pack: HttpPack, message: Message, manner: Manner): Promise<Heard> {
    const { patienceMs, clock } = this.#parts
    const place = this.#parts.place as Place & { tag: 'http' }
    const token = await this.#tokenFor(pack, place)
    const mouth = manner === 'forged' ? withWrongSecrets(pack) : pack
    const spoken = mouth.write(message)
    const context = () => ({
      nowMs: clock.nowMs(),
      nonce: `${clock.nowMs()}${++this.#nonce}`,
      ...(token !== undefined && { token }),
    })
    const sealed = mouth.seal(manner === 'cut-short' ? cutBody(spoken) : spoken, context())
    const bytes = manner === 'misnamed' ? misnamed(sealed) : sealed
    if (manner !== 'twice')
      return exchange(place, bytes, manner === 'hung-up' ? HANG_UP_MS : patienceMs)
    const both = [
      exchange(place, bytes, patienceMs),
      exchange(place, mouth.seal(spoken, context()), patienceMs),
    ]
    const heard = await Promise.all(both)
    return {
      frames: heard.flatMap(({ frames }) => frames),
      closed: heard.find(({ closed }) => closed !== undefined)?.closed,
    }
  }

  async #tokenFor(pack: HttpPack, place: Place & { tag: 'http' }): Promise<string | undefined> {
    const { session } = pack
    if (!session || this.#token !== undefined) return this.#token
    const { clock, patienceMs } = this.#parts
    const nowMs = clock.nowMs()
    const request = session.request({ nowMs, nonce: `${nowMs}${++this.#nonce}` })
    const { frames } = await exchange(place, request, patienceMs)
    this.#token = frames[0] && session.read(frames[0])?.token
    return this.#token
  }
}

/** Long enough for the request to leave on this machine, too short for an answer from elsewhere. */
const HANG_UP_MS = 30

function shortened(frame: Uint8Array): Uint8Array {
  return frame.subarray(0, Math.ceil((frame.length * 2) / 3))
}

function lying(bytes: Uint8Array, frame: Uint8Array): Uint8Array {
  const out = Buffer.from(bytes)
  const header = out.indexOf(frame)
  out.fill(0xff, 0, Math.max(1, header))
  return out
}

function cutBody(frame: Uint8Array): Uint8Array {
  const { method, target, headers, body } = readHttpRequest(frame)
  return writeHttpRequest({ method, target, headers, body: shortened(body) })
}

function misnamed(frame: Uint8Array): Uint8Array {
  const { method, target, headers, body } = readHttpRequest(frame)
  const type = { 'content-type': 'application/octet-stream' }
  return writeHttpRequest({ method, target, headers: { ...headers, ...type }, body })
}

function withWrongSecrets(pack: HttpPack): HttpPack {
  // A name must have room where it stands; what a secret is like nobody sees.
  const invented = ({ name, kind }: CredentialSpec) => (kind === 'name' ? '0' : `wrong-${name}`)
  const wrong = pack.credentials
    .filter(({ kind }) => kind === 'secret' || kind === 'name')
    .map(one => [one.name, new Secret(invented(one))] as const)
  return pack.with(Object.fromEntries(wrong))
}

/** What both sides say first, where they sign on. */
export function signOnOf(identity: Partial<Message>, clock: Clock): Message {
  return {
    kind: 'sign-on',
    direction: 'request',
    repeat: false,
    trace: '',
    sentAt: localTime(clock.nowMs()),
    ...identity,
  }
}
