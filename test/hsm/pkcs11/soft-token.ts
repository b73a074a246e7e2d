import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TokenOptions } from '#hsm'

const LIBRARIES = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so',
  '/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so',
]
const INSTALL_TIMEOUT_MS = 120_000

const library = (): string | undefined => LIBRARIES.find(path => existsSync(path))

/** Debian's SoftHSM2, installed where it is missing and this may be done; undefined without it. */
export function softHsmLibrary(): string | undefined {
  if (library() === undefined && process.getuid?.() === 0) {
    try {
      execFileSync('apt-get', ['install', '--yes', '--no-install-recommends', 'softhsm2'], {
        stdio: 'ignore',
        timeout: INSTALL_TIMEOUT_MS,
      })
    } catch {
      // Then the tests are skipped, and say why.
    }
  }
  return library()
}

/** A fresh token in a folder of its own, with the way to it. */
export function freshToken(path: string): {
  readonly token: TokenOptions
  readonly remove: () => void
} {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-token-'))
  const config = join(folder, 'softhsm2.conf')
  mkdirSync(join(folder, 'tokens'))
  writeFileSync(config, `directories.tokendir = ${join(folder, 'tokens')}\nlog.level = ERROR\n`)
  process.env['SOFTHSM2_CONF'] = config
  const init = [
    '--init-token',
    '--free',
    '--label',
    'nadi',
    '--so-pin',
    '87654321',
    '--pin',
    '4711',
  ]
  execFileSync('softhsm2-util', init, { stdio: 'ignore' })
  const pin = join(folder, 'pin')
  writeFileSync(pin, '4711\n', { mode: 0o600 })
  return {
    token: { library: path, token: 'nadi', key: 'lmk', pin: { from: 'file', path: pin } },
    remove: () => rmSync(folder, { recursive: true }),
  }
}
