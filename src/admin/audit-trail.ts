import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { NadiError, toJson } from '#base'

/** One act of a person: a line before it is done, and a line that says how it ended. */
export type AuditLine = {
  readonly atMs: number
  /** What was done: `txn.resolve`, `txn.reveal`, `partner.deposit`. */
  readonly act: string
  /** Whom or what it was done to: a txn's id, a partner's. */
  readonly subject: string
  readonly by: string
  readonly reason: string
  /** The address that the request came from. */
  readonly peer: string
  /** `begun`, then `done` or the code of the error. */
  readonly outcome: string
  /** Who the command's user was, where that is another name than the operator's. */
  readonly account?: string
  /** The operator who approved it, and why. */
  readonly approvedBy?: string
  readonly approval?: string
  readonly detail?: Readonly<Record<string, unknown>>
}

/** Who did what, when and why: only ever added to. */
export interface AuditTrail {
  /** Durable when it resolves. Throws ADMIN_AUDIT. */
  write(line: AuditLine): Promise<void>
  close(): Promise<void>
}

/** JSON lines in a file that only its owner reads. */
export async function openAuditTrail(path: string): Promise<AuditTrail> {
  const file = await mkdir(dirname(path), { recursive: true })
    .then(() => open(path, 'a', 0o600))
    .catch((cause: unknown) => {
      throw new NadiError('ADMIN_AUDIT', { path, cause })
    })
  let last: Promise<void> = Promise.resolve()
  const append = async ({ atMs, ...line }: AuditLine): Promise<void> => {
    await file.appendFile(`${toJson({ at: new Date(atMs).toISOString(), ...line })}\n`)
    await file.datasync()
  }
  return {
    write(line) {
      const written = last.then(() => append(line))
      last = written.catch(() => {})
      return written.catch((cause: unknown) => {
        throw new NadiError('ADMIN_AUDIT', { path, cause })
      })
    },
    async close() {
      await last
      await file.close()
    },
  }
}
