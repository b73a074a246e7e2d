import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

/**
 * Inputs that are kept with the project, one file a target and one input a line, in base64: so many
 * small files would be a burden to everyone who does not fuzz.
 */
const FOLDER = new URL('./corpus/', import.meta.url).pathname

export function kept(target: string): Uint8Array[] {
  const file = `${FOLDER}${target}.txt`
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter(line => line !== '').map(line => Buffer.from(line, 'base64'))
}

/** Of one target; what is longer stays where the fuzzer works. */
const KEPT_BYTES_MAX = 64 * 1024

/** The shortest of them, as many as there is room for. */
export function keep(target: string, inputs: readonly Uint8Array[]): number {
  let left = KEPT_BYTES_MAX
  const short = inputs
    .toSorted((a, b) => a.length - b.length)
    .filter(({ length }) => (left -= length) >= 0)
  const lines = new Set(short.map(input => Buffer.from(input).toString('base64')).toSorted())
  mkdirSync(FOLDER, { recursive: true })
  writeFileSync(`${FOLDER}${target}.txt`, `${[...lines].join('\n')}\n`)
  return lines.size
}

/** The folder as libFuzzer has it: one file an input, named by what is in it. */
export function fill(folder: string, inputs: readonly Uint8Array[]): void {
  mkdirSync(folder, { recursive: true })
  for (const input of inputs) {
    const file = `${folder}/${createHash('sha1').update(input).digest('hex')}`
    if (!existsSync(file)) writeFileSync(file, input)
  }
}

export function inputsIn(folder: string): Uint8Array[] {
  return readdirSync(folder).map(name => readFileSync(`${folder}/${name}`))
}
