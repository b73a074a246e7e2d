import * as fs from 'node:fs'
import { join } from 'node:path'

/**
 * A running server as its lock file tells (postmaster.pid, one value a line):
 *
 *     pid · data folder · start time · port · socket folder · listen address · shared memory · status
 */
export type Postmaster = { readonly pid: number; readonly status: string }

/** The server that owns this data folder and is alive; a stale file counts as none. */
export function findPostmaster(data: string): Postmaster | undefined {
  let text: string
  try {
    text = fs.readFileSync(join(data, 'postmaster.pid'), 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n').map(line => line.trim())
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isOurs(pid, data)) return undefined
  return { pid, status: lines[7] ?? '' }
}

/**
 * Whether the process is a server on this data folder. The number alone says nothing: after a
 * restart of the machine it may be anybody's, and a dead child that nobody buried keeps its number.
 */
export function isOurs(pid: number, data: string): boolean {
  if (!isAlive(pid)) return false
  try {
    const args = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return args[0]?.endsWith('postgres') === true && args.includes(data)
  } catch {
    // No /proc (macOS): then the lock file and PostgreSQL's own test must do.
    return !fs.existsSync('/proc/self')
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Removes a lock file whose server is gone; PostgreSQL itself keeps off while orphans still run. */
export function clearStale(data: string): void {
  if (!findPostmaster(data)) fs.rmSync(join(data, 'postmaster.pid'), { force: true })
}
