import { stringify } from 'yaml'
import { latin1, localTimeMs } from '#base'
import type { Message } from '#message'
import type { HttpPack, Pack } from '#pack'

/** A message to make a sample of; an answer names the title of its request. */
export type Draft = {
  readonly title: string
  readonly asked?: string
  readonly message: Message
}

const HEAD = `# Frames with their meaning; \`nadi pack check\` reads each and writes it again, byte for byte.
# These were written by the pack itself: put the biller's own samples in their place, one by one.

`

/** samples.yaml of messages over ISO 8583: what the pack writes is what it must read. */
export function isoSamples(pack: Pack, drafts: readonly Draft[]): string {
  const samples = drafts.map(({ title, message }) => {
    const frame = pack.write(message)
    const read = pack.read(frame)
    return {
      title,
      frame: latin1(frame),
      message: plain(read.tag === 'message' ? read.message : {}),
    }
  })
  return HEAD + yaml(samples)
}

/** The same over HTTP. `sentAt` of the first message is when they were sealed. */
export function httpSamples(
  pack: HttpPack,
  credentials: Readonly<Record<string, string>>,
  drafts: readonly Draft[],
): string {
  const nowMs = localTimeMs(drafts[0]?.message.sentAt ?? '') ?? 0
  const sealed = { nowMs, nonce: '1', ...(pack.session && { token: 'lab-token' }) }
  const messages = new Map(drafts.map(({ title, message }) => [title, message]))
  const samples = drafts.map(({ title, asked: askedBy, message }) => {
    const asked = askedBy === undefined ? undefined : messages.get(askedBy)
    const frame = Buffer.from(pack.seal(pack.write(message, asked), sealed))
    const text = frame.toString().replaceAll('\r\n', '\n')
    const said = asked ? beside(asked, readBack(pack, frame, asked)) : withoutTime(message)
    return {
      title,
      as: asked ? 'answer' : 'request',
      ...(askedBy !== undefined && { asked: askedBy }),
      frame: `${text}\n`,
      message: plain(said),
    }
  })
  return HEAD + yaml({ credentials, sealed: plain(sealed), samples })
}

function readBack(pack: HttpPack, frame: Uint8Array, asked: Message): Partial<Message> {
  const read = pack.readAnswer(frame, asked)
  return read.tag === 'message' ? read.message : {}
}

/** What a sample of a request is read as: its time is in no body. */
function withoutTime(message: Message): unknown {
  const own = ['direction', 'repeat', 'trace', 'sentAt']
  return Object.fromEntries(Object.entries(message).filter(([key]) => !own.includes(key)))
}

/** What an answer says beside its request: the samples are told so. */
function beside(asked: Message, answer: Partial<Message>): unknown {
  const { direction: _, ...said } = answer
  return less(said, asked) ?? {}
}

function less(value: unknown, known: unknown): unknown {
  if (!isMap(value) || !isMap(known)) return same(value, known) ? undefined : value
  const left = Object.entries(value).flatMap(([key, inner]): [string, unknown][] => {
    const rest = less(inner, known[key])
    return rest === undefined ? [] : [[key, rest]]
  })
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

function same(a: unknown, b: unknown): boolean {
  return (
    Object.is(a, b) || (a !== undefined && b !== undefined && yaml(plain(a)) === yaml(plain(b)))
  )
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** All values as text, as packs are read. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (isMap(value)) {
    const told = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return Object.fromEntries(told.map(([key, inner]) => [key, plain(inner)]))
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}

function yaml(value: unknown): string {
  return stringify(value, { schema: 'failsafe', lineWidth: 0, blockQuote: 'literal' })
}
