import type { Out } from './out.ts'
import { badLength, truncated } from './rejects.ts'
import type { LengthSpec } from './spec.ts'

/** What ends a value that no length counts: `#`, FS (0x1C), CR LF. */
export type Terminator = {
  /** How many they are. */
  readonly bytes: number
  /** For errors: `0x1C`. */
  readonly text: string
  /** The end of the data does as well. */
  readonly open: boolean
  /** Where it stands whole between `at` and `end`, behind at most `most` bytes; or -1. */
  readonly find: (bytes: Uint8Array, at: number, end: number, most: number) => number
  readonly write: (out: Out) => void
}

type Until = Extract<LengthSpec, { form: 'until' }>

export const TERMINATOR_HEX = /^(?:[0-9A-F]{2}){1,4}$/

export function compileTerminator({ terminator, open }: Until): Terminator {
  const ends = Buffer.from(terminator, 'hex')
  const [first] = ends as unknown as [number]
  const count = ends.length
  return {
    bytes: count,
    text: `0x${terminator}`,
    open,
    find(bytes, at, end, most) {
      const last = Math.min(at + most, end - count)
      for (let place = at; place <= last; place++) {
        if (bytes[place] === first && isThere(ends, bytes, place)) return place
      }
      return -1
    },
    write(out) {
      for (const byte of ends) out.byte(byte)
      if (open) out.mayEndWithout(count)
    },
  }
}

/** Where the value ends that begins at `at`, and where the next one begins. Throws NadiError CODEC_*. */
export function endsOf(
  { bytes: count, text, open, find }: Terminator,
  { path, size }: { readonly path: string; readonly size: number },
  bytes: Uint8Array,
  at: number,
  end: number,
  most: number,
): { readonly dataEnd: number; readonly rawEnd: number } {
  const found = find(bytes, at, end, most)
  if (found >= 0) return { dataEnd: found, rawEnd: found + count }
  if (!open && end - at < most + count) throw truncated(path, end, count, 0)
  if (end - at > most) throw badLength(path, at, `${text} after at most ${size}`, 'more')
  return { dataEnd: end, rawEnd: end }
}

function isThere(ends: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 1; i < ends.length; i++) if (bytes[at + i] !== ends[i]) return false
  return true
}
