import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isNadiError } from '#base'
import { readSamples, type Pack, type PackFiles, type Reject, type Sample } from '#pack'
import type { Message } from '#message'
import { loadPacks } from '../../src/config/packs.ts'

/** The real packs, their samples and their texts; shared by the tests of this folder. */
export const PROTOCOLS = fileURLToPath(new URL('../../protocols', import.meta.url))
export const A = 'pln-2003-111'
export const B = 'pln-2003-115'
export const JTL = 'pln-1987-jtl'
export const EBIPP = 'alto-ebipp'
export const QRIS = 'qris-1987'

/** When the samples were: their times have no year. */
export const NOW_MS = Date.UTC(2026, 10, 20, 5)

const { packs, problems } = loadPacks(PROTOCOLS, undefined, { nowMs: () => NOW_MS })

export function packCalled(name: string): Pack {
  const pack = packs.get(name)
  if (pack) return pack
  const own = problems.filter(({ path }) => path.includes(`/${name}/`))
  throw new Error(`no pack is called ${name}: ${JSON.stringify(own, undefined, 1)}`)
}

const samplesRead = new Map<string, readonly Sample[]>()

export function samplesOf(name: string): readonly Sample[] {
  const known = samplesRead.get(name)
  if (known) return known
  const { samples, problems } = readSamples(`${name}/samples.yaml`, textOf(name, 'samples.yaml'))
  if (problems.length > 0) throw new Error(JSON.stringify(problems, undefined, 1))
  samplesRead.set(name, samples)
  return samples
}

export function textOf(name: string, file: string): string {
  return readFileSync(`${PROTOCOLS}/${name}/${file}`, 'utf8')
}

export function sources(): Map<string, PackFiles> {
  return new Map(
    [A, B].map((name): [string, PackFiles] => [
      name,
      { 'pack.yaml': textOf(name, 'pack.yaml'), 'fields.yaml': textOf(name, 'fields.yaml') },
    ]),
  )
}

export const toBytes = (text: string): Buffer => Buffer.from(text, 'latin1')
export const toText = (frame: Uint8Array): string => Buffer.from(frame).toString('latin1')

export function readMessage(pack: Pack, frame: string): Message {
  const read = pack.read(toBytes(frame))
  if (read.tag === 'reject') throw read.reject.error
  return read.message
}

export function readReject(pack: Pack, frame: Uint8Array): Reject {
  const read = pack.read(frame)
  if (read.tag === 'message') throw new Error('it was read')
  return read.reject
}

export function codeOfThrown(run: () => unknown): string {
  try {
    run()
    return 'nothing'
  } catch (error) {
    if (isNadiError(error)) return `${error.code} ${error.path}`
    throw error
  }
}
