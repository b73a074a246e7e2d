import { join } from 'node:path'
import { run } from '../../src/cli/program.ts'
import { paintFor } from '../../src/cli/terminal.ts'

export type Ended = { readonly code: number; readonly out: string; readonly err: string }

/** The command in this process, as somebody calls it who has a folder of his own and no terminal. */
export function nadiIn(folder: string): (...args: string[]) => Promise<Ended> {
  return async (...args) => {
    let out = ''
    let err = ''
    const code = await run(args, {
      out: text => void (out += `${text}\n`),
      err: text => void (err += `${text}\n`),
      env: { NADI_VAR: join(folder, 'var') },
      paint: paintFor(false),
      interactive: false,
      ask: async () => '',
      readAll: async () => '',
    })
    return { code, out, err }
  }
}
