import { isNadiError } from '#base'
import type { Evidence, Story } from '#journal'
import type { HttpPack, Pack } from '#pack'
import type { Crossed } from './report.ts'

/** Of a message's lines so many are shown; a bill may have hundreds. */
const LINES_MAX = 80

/** What went to the counterpart and came from it, in order, masked. */
export function crossedIn(pack: Pack | HttpPack, stories: readonly Story[]): Crossed[] {
  return stories
    .flatMap(({ records }) => records.flatMap(({ frames = [] }) => frames))
    .filter(({ side }) => side === 'destination')
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(frame => shown(pack, frame))
}

function shown(pack: Pack | HttpPack, { atMs, direction, bytes }: Evidence): Crossed {
  const sent = direction === 'out'
  return {
    atMs,
    direction: sent ? 'sent' : 'got',
    what: whatIs(pack, bytes, sent),
    lines: linesOf(pack, bytes),
  }
}

export function whatIs(pack: Pack | HttpPack, bytes: Uint8Array, request: boolean): string {
  if ('transport' in pack && !request) return 'an answer'
  const read = 'transport' in pack ? pack.readRequest(sealed(pack, bytes)) : pack.read(bytes)
  if (read.tag === 'reject') return 'what cannot be read'
  const { kind, direction, repeat } = read.message
  return `${kind}${repeat ? ', again' : ''}${direction === 'response' ? ', answered' : ''}`
}

/** With its credentials in their places: without them some dialects do not know their own requests. */
function sealed(pack: HttpPack, frame: Uint8Array): Uint8Array {
  try {
    return pack.seal(frame, { nowMs: 0, nonce: '0', token: 'none' })
  } catch (error) {
    if (isNadiError(error)) return frame
    throw error
  }
}

export function linesOf(pack: Pack | HttpPack, bytes: Uint8Array): string[] {
  const lines = pack
    .describe(bytes)
    .map(({ path, name, value, meaning }) =>
      [path, name, value, ...(meaning === undefined ? [] : [`(${meaning})`])].join(' '),
    )
  const left = lines.length - LINES_MAX
  return left > 0 ? [...lines.slice(0, LINES_MAX), `and ${left} lines more`] : lines
}
