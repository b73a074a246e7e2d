import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { SystemRandom, toHex } from '#base'
import type { KeyView } from '#admin'
import type { Act } from '../program.ts'
import { placesOf } from '../settings.ts'
import { printTable } from '../table.ts'
import { UsageError } from '../usage.ts'
import { formatTime } from '../words.ts'

const KEY_BYTES = 32

/** Keys of the partners' HTTP API: who uses them, and making one. */
export function partnerKeyCommand(partner: Command, act: Act): void {
  const key = partner.command('key').description("a partner's keys for the HTTP API")
  key
    .command('list')
    .argument('<partner>', 'its id')
    .description('its keys and certificates, and when each was last used since the daemon started')
    .addHelpText('after', '\nExample:\n  $ nadi partner key list 4519001')
    .action(
      act(async (context, id: string) => {
        if (!/^[A-Za-z0-9-]{1,40}$/.test(id)) throw new UsageError(`no partner id: ${id}`)
        const admin = await context.admin()
        const { keys } = await admin.get<{ keys: KeyView[] }>(`/v1/partners/${id}/keys`)
        context.print(keys, () =>
          printTable(
            context.terminal,
            keys,
            [
              { title: 'KEY', text: row => row.id },
              { title: 'KIND', text: row => row.kind },
              { title: 'USED', right: true, text: row => row.uses },
              { title: 'LAST', text: row => timeOf(row.lastAtMs) },
              { title: 'FROM', text: row => row.lastFrom ?? '' },
            ],
            'No keys: this partner has no way into the HTTP API.',
          ),
        )
      }),
    )
  key
    .command('new')
    .argument('<key>', 'what it is to be called: letters, digits, - and _')
    .description('makes a secret in the var folder, and says what to write into conf/partners.yaml')
    .addHelpText('after', '\nExample:\n  $ nadi partner key new shop-2027')
    .action(
      act(async (context, id: string) => {
        if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw new UsageError(`no key id: ${id}`)
        const { varFolder } = await placesOf(context.options, context.terminal.env)
        const path = join('partners', `${id}.key`)
        const file = join(varFolder, path)
        writeNew(file, toHex(new SystemRandom().bytes(KEY_BYTES)))
        context.print({ id, file }, () =>
          context.terminal.out(
            `The secret is in ${file}; give it to the partner by a way that nobody reads.\n` +
              `Under api: keys: of the partner in conf/partners.yaml, then restart:\n\n` +
              `      - id: ${id}\n        secret: { file: ${path} }`,
          ),
        )
      }),
    )
}

function timeOf(atMs: number | undefined): string {
  return atMs === undefined ? 'never' : formatTime(atMs)
}

/** Only its owner reads it, and one that is there is never written over. */
function writeNew(file: string, secret: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  let handle: number
  try {
    handle = openSync(file, 'wx', 0o600)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new UsageError(`there is a key of that name already: ${file}`)
  }
  writeSync(handle, `${secret}\n`)
  closeSync(handle)
}
