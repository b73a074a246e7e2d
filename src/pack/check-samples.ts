import { errorText, fromLatin1, isNadiError, latin1 } from '#base'
import type { Message } from '#message'
import { differences } from './differences.ts'
import type { HttpSample, HttpSamples } from './document/index.ts'
import type { HttpPack } from './http-pack.ts'
import type { Pack, PackRead } from './pack.ts'
import type { Sample } from './samples.ts'
import type { Problem } from './source.ts'

/**
 * Every sample both ways: the frame is read into the message, and the message written into the
 * frame, byte for byte. Tells all that is not so, each with the line of its sample.
 */
export function checkSamples(
  pack: Pack,
  samples: readonly Sample[],
  before: (sample: Sample) => void = () => {},
): Problem[] {
  return samples.flatMap(sample => {
    before(sample)
    const { frame, message } = sample
    return told(sample, [
      ...problemsOf(() => differing(message, pack.read(fromLatin1(frame)))),
      ...problemsOf(() => writtenAs(frame, latin1(pack.write(message)))),
    ])
  })
}

/** The same over HTTP, with their seals. `pack` has the credentials that the samples are made with. */
export function checkHttpSamples(pack: HttpPack, { samples, sealed }: HttpSamples): Problem[] {
  return samples.flatMap(sample => {
    const { as, frame, message, asked, readOnly } = sample
    const bytes = Buffer.from(frame)
    return told(sample, [
      ...problemsOf(() => readHttp(pack, sample, bytes)),
      ...(as === 'answer' ? [] : problemsOf(() => opened(pack, bytes, sealed))),
      ...(readOnly
        ? []
        : problemsOf(() => {
            const written =
              as === 'callback' ? pack.callback?.write(message) : pack.write(message, asked)
            if (!written) return ['the pack has no callback']
            return writtenAs(frame, Buffer.from(pack.seal(written, sealed)).toString())
          })),
      ...(asked && pack.matchKey(asked) !== pack.matchKey(message)
        ? ['its answer is not matched with its request']
        : []),
    ])
  })
}

function readHttp(pack: HttpPack, { as, message, asked }: HttpSample, frame: Uint8Array): string[] {
  switch (as) {
    case 'answer':
      return differing(message, pack.readAnswer(frame, asked as Message))
    case 'callback': {
      const read = pack.callback?.read(frame)
      return read ? differing(message, read) : ['the pack has no callback']
    }
    case 'request': {
      const read = pack.readRequest(frame)
      if (read.tag === 'reject') return [read.reject.error.message]
      // A request may name less than the message that makes it: its own id only. And a status check
      // that is the same request again is read as that.
      const { direction: _, repeat: __, trace: ___, sentAt, kind, ...said } = read.message
      const mayDiffer = message.kind === 'status' ? {} : { kind }
      const time = sentAt === '' ? {} : { sentAt }
      return [...differences(message, { ...said, ...mayDiffer, ...time }, true)]
    }
  }
}

function differing(message: Message, read: PackRead): string[] {
  return read.tag === 'reject'
    ? [read.reject.error.message]
    : [...differences(message, read.message)]
}

function opened(pack: HttpPack, frame: Uint8Array, sealed: HttpSamples['sealed']): string[] {
  const problem = pack.opens(frame, sealed)
  return problem ? [`its seal does not hold: ${problem.path} is ${problem.tag}`] : []
}

const CONTEXT_CHARS = 24

function writtenAs(frame: string, written: string): string[] {
  if (frame === written) return []
  let at = 0
  while (frame[at] === written[at]) at++
  const from = Math.max(0, at - CONTEXT_CHARS / 2)
  const [wanted, got] = [frame, written].map(text =>
    JSON.stringify(text.slice(from, at + CONTEXT_CHARS)),
  )
  return [`we write it in another way from byte ${at} on: ${got} in place of ${wanted}`]
}

function told({ at, title }: { at: string; title: string }, texts: readonly string[]): Problem[] {
  return texts.map(text => ({ path: at, text: `sample "${title}": ${text}` }))
}

/** What cannot be said or read is a problem of the sample; anything else is a bug. */
function problemsOf(run: () => string[]): string[] {
  try {
    return run()
  } catch (error) {
    if (!isNadiError(error)) throw error
    return [errorText(error)]
  }
}
