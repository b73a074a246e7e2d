import { readdirSync, readFileSync } from 'node:fs'

/** CPU time in milliseconds since each began. Postgres counts all processes of the server. */
export type CpuMs = {
  readonly daemon: number
  readonly biller: number
  readonly postgres: number
  readonly load: number
}

/** /proc counts in ticks; Linux shows all programs a hundred a second, whatever the kernel's own. */
const TICK_MS = 10

/** What each has used so far; undefined where there is no /proc. */
export function cpuMs(pids: {
  daemon: number
  biller: number
  postgres: number
}): CpuMs | undefined {
  try {
    const { user, system } = process.cpuUsage()
    return {
      daemon: statOf(pids.daemon).usedMs,
      biller: statOf(pids.biller).usedMs,
      postgres: familyMs(pids.postgres),
      load: (user + system) / 1000,
    }
  } catch {
    return undefined
  }
}

/** Resident memory in bytes; undefined where there is no /proc. */
export function residentBytes(pid: number): number | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** A process and its children, and what its buried children have used. */
function familyMs(pid: number): number {
  let usedMs = 0
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = statOf(Number(name))
      if (Number(name) === pid) usedMs += stat.usedMs + stat.buriedMs
      else if (stat.parent === pid) usedMs += stat.usedMs
    } catch {
      // It has ended since the folder was read.
    }
  }
  return usedMs
}

/** proc(5): after the name in brackets, which may hold anything, field 4 is the parent, 14 to 17 the times. */
function statOf(pid: number): { parent: number; usedMs: number; buriedMs: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (nth: number): number => Number(fields[nth - 3]) * TICK_MS
  return {
    parent: Number(fields[1]),
    usedMs: ticks(14) + ticks(15),
    buriedMs: ticks(16) + ticks(17),
  }
}
