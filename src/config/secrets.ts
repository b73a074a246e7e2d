import {
  closeSync,
  fchmodSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { z } from 'zod'
import { NadiError, type Random, Secret, toHex } from '#base'

/** Secrets are never written into conf/: there stands only where they are. */
export type SecretRef =
  { readonly tag: 'file'; readonly path: string } | { readonly tag: 'env'; readonly name: string }

/** A secret that may be made at the first start: `value` is undefined while the file is not there. */
export type KeptSecret = {
  /** The file's absolute path; undefined when it came from the environment. */
  readonly file: string | undefined
  readonly value: Secret<string> | undefined
}

const WANTED = 'wanted is { file: PATH } or { env: NAME }'

/** Reads a reference. What stands there instead is never repeated: it may be the secret itself. */
export const secretRef = z.unknown().transform((input, context): SecretRef => {
  const no = (text: string): never => {
    context.issues.push({ code: 'custom', message: `${text}; ${WANTED}`, input: undefined })
    return z.NEVER
  }
  if (input === undefined) return no('is missing')
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    return no('is a secret, and secrets are not written here')
  const [[key, where] = ['', ''], ...more] = Object.entries(input)
  if (more.length > 0 || (key !== 'file' && key !== 'env')) return no('must have one key')
  if (typeof where !== 'string' || where === '') return no(`has no ${key}`)
  return key === 'file' ? { tag: 'file', path: where } : { tag: 'env', name: where }
})

export type SecretPlace = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** What relative paths start from. */
  readonly varFolder: string
  /** Folders of the tree: a secret there would be published with it. */
  readonly treeFolders: readonly string[]
}

/**
 * Looks the secret up. A `made` one may be missing (it is made at the first start); any other must
 * be there. Returns what is wrong as a text.
 */
export function loadSecret(
  ref: SecretRef,
  { env, varFolder, treeFolders }: SecretPlace,
  made: boolean,
): KeptSecret | string {
  if (ref.tag === 'env') {
    const value = env[ref.name]
    if (!value) return `the environment has no ${ref.name}`
    return { file: undefined, value: new Secret(value) }
  }
  const file = resolve(varFolder, ref.path)
  if (treeFolders.some(folder => isWithin(folder, file)))
    return `the secret ${ref.path} lies beside the configuration; keep it in the var folder`
  try {
    if ((statSync(file).mode & 0o007) !== 0)
      return `the secret ${file} can be read by everyone; chmod 600 it`
    const value = readFileSync(file, 'utf8').trim()
    return value === '' ? `the secret ${file} is empty` : { file, value: new Secret(value) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && made) return { file, value: undefined }
    return `the secret ${file} cannot be read (${code})`
  }
}

/**
 * The secret, made and stored (mode 0600) when it is not there yet: `bytes` of chance, in hexadecimal
 * or as `spell` writes them.
 */
export function ensureSecret(
  kept: KeptSecret,
  random: Random,
  bytes: number,
  spell: (bytes: Uint8Array) => string = toHex,
): Secret<string> {
  if (kept.value) return kept.value
  const { file } = kept
  if (file === undefined) throw new NadiError('CONF_INVALID', { hint: 'a secret has no value' })
  const value = spell(random.bytes(bytes))
  mkdirSync(dirname(file), { recursive: true })
  try {
    const handle = openSync(file, 'wx', 0o600)
    fchmodSync(handle, 0o600)
    writeSync(handle, `${value}\n`)
    closeSync(handle)
    return new Secret(value)
  } catch (error) {
    // Another process made it in the same moment: its secret counts.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return new Secret(readFileSync(file, 'utf8').trim())
  }
}

function isWithin(folder: string, file: string): boolean {
  const way = relative(folder, file)
  return way !== '' && !way.startsWith('..') && !isAbsolute(way)
}
