import type { Problem } from '#pack'
import { type KeptSecret, loadSecret, type SecretPlace, type SecretRef } from './secrets.ts'
import type { Tree } from './tree.ts'

/** What tokens for banks are made by, by listener: the newest key first. */
export type SnapTokenKeys = ReadonlyMap<string, readonly KeptSecret[]>

const CHARS_MIN = 32

/** The newest key may be missing, and is made at the first start; those before it must be there. */
export function snapTokenKeys(
  snaps: Tree['snaps'],
  place: SecretPlace,
  problems: Problem[],
): SnapTokenKeys {
  const read = (name: string, ref: SecretRef, at: number): KeptSecret => {
    const kept = loadSecret(ref, place, at === 0)
    const value = typeof kept === 'string' ? undefined : kept.value?.reveal()
    const short =
      value !== undefined &&
      value.length < CHARS_MIN &&
      `a token key must have at least ${CHARS_MIN} characters`
    const text = typeof kept === 'string' ? kept : short
    if (text) problems.push({ path: snaps.where(name, 'tokenKeys', at), text })
    return typeof kept === 'string' ? { file: undefined, value: undefined } : kept
  }
  return new Map(
    [...snaps.entries].map(([name, { tokenKeys = [ownKey(name)] }]) => [
      name,
      tokenKeys.map((ref, at) => read(name, ref, at)),
    ]),
  )
}

function ownKey(listener: string): SecretRef {
  return { tag: 'file', path: `snap/${listener}.token` }
}
