import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { NadiError } from '#base'

/**
 * Where the local master key is: never in the database, never in the configuration. A file and a
 * systemd credential hold 32 bytes, or 64 hexadecimal digits; an environment variable the digits.
 */
export type LmkSource =
  | { readonly from: 'file'; readonly path: string }
  /** For the lab: an environment can be read from outside, and stays as it is until the process ends. */
  | { readonly from: 'environment'; readonly name: string }
  /** `LoadCredential=` of the unit: systemd keeps it out of the environment and of the disk. */
  | { readonly from: 'credential'; readonly name: string }

const LMK_BYTES = 32
/** Readable by the group or by everybody. */
const OTHERS_MAY_READ = 0o077
/** More than a key is no key; and a device could be read for ever. */
const FILE_BYTES_MAX = 256

/**
 * Published keys, by SHA-256: whatever lies under one of these lies open. The AES test LMK of every
 * payShield, the examples of X9.143 and SP 800-38B, the count from 0 to 31.
 */
const PUBLISHED = new Set(
  [
    '9B71333A13F9FAE72F9D0E2DAB4AD6784718012F9244033F3F26A2DE0C8AA11A',
    '88E1AB2A2E3DD38C1FA039A536500CC8A87AB9D62DC92C01058FA79F44657DE6',
    '603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4',
    '000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F',
  ].map(hex => hashOf(Buffer.from(hex, 'hex'))),
)
/** A key drawn by chance has some 30 different bytes; fewer than this is somebody's pattern. */
const DIFFERENT_BYTES_MIN = 12

export type LoadedLmk = { readonly bytes: Buffer; readonly test: boolean }

/** Called in the worker, so that the key is in no other thread. Throws HSM_LMK. */
export function loadLmk(source: LmkSource, lab: boolean): LoadedLmk {
  const path = placeOf(source)
  const raw = readSecret(source)
  const bytes = raw.length === LMK_BYTES ? copyOf(raw) : fromDigits(raw)
  raw.fill(0)
  if (!bytes)
    throw new NadiError('HSM_LMK', { path, expected: '32 bytes or 64 hexadecimal digits' })
  const test = isTestLmk(bytes)
  if (!test || lab) return { bytes, test }
  bytes.fill(0)
  throw new NadiError('HSM_LMK', { path, hint: 'a published test key is for the lab only' })
}

/** Whether the key is a published one, or as easy to guess. */
export function isTestLmk(bytes: Uint8Array): boolean {
  return PUBLISHED.has(hashOf(bytes)) || new Set(bytes).size < DIFFERENT_BYTES_MIN
}

/** What stands there, the caller's to wipe: an LMK, or the PIN of the token that has it. */
export function readSecret(source: LmkSource): Buffer {
  const path = placeOf(source)
  if (source.from === 'environment') {
    const value = process.env[source.name]
    if (value === undefined) throw new NadiError('HSM_LMK', { path, expected: 'to be set' })
    return Buffer.from(value, 'latin1')
  }
  try {
    return readOnce(source, path)
  } catch (error) {
    if (error instanceof NadiError) throw error
    throw new NadiError('HSM_LMK', { path, actual: (error as NodeJS.ErrnoException).code ?? '' })
  }
}

function readOnce(source: Exclude<LmkSource, { from: 'environment' }>, path: string): Buffer {
  const file = source.from === 'file' ? source.path : credentialFile(source.name, path)
  const { mode, size } = statSync(file)
  if (source.from === 'file' && (mode & OTHERS_MAY_READ) !== 0)
    throw new NadiError('HSM_LMK', { path, expected: 'a file that nobody else can read' })
  if (size > FILE_BYTES_MAX) throw new NadiError('HSM_LMK', { path, expected: 'a small file' })
  return readFileSync(file)
}

function credentialFile(name: string, path: string): string {
  const folder = process.env['CREDENTIALS_DIRECTORY']
  if (folder === undefined)
    throw new NadiError('HSM_LMK', { path, expected: 'to run under systemd' })
  return join(folder, name)
}

/** Never of Node's pool of small buffers: that memory is shared with whoever asks for some next. */
function copyOf(raw: Uint8Array): Buffer {
  const bytes = Buffer.alloc(LMK_BYTES)
  bytes.set(raw)
  return bytes
}

/** Hexadecimal digits, perhaps with a line end, without making a string of them. */
function fromDigits(raw: Uint8Array): Buffer | undefined {
  const bytes = Buffer.alloc(LMK_BYTES)
  let count = 0
  for (const code of raw) {
    if (code === 0x0a || code === 0x0d || code === 0x20) continue
    const nibble = nibbleOf(code)
    if (nibble === undefined || count >= 2 * LMK_BYTES) return undefined
    const at = count++ >> 1
    bytes[at] = ((bytes[at] as number) << 4) | nibble
  }
  return count === 2 * LMK_BYTES ? bytes : undefined
}

function nibbleOf(code: number): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const lower = code | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : undefined
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function placeOf(source: LmkSource): string {
  return source.from === 'file' ? source.path : `${source.from} ${source.name}`
}
