import { createHash } from 'node:crypto'
import type { BOX_COMMANDS } from '../../grammar/box.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { Handlers } from '../call.ts'

const HASHES = {
  '01': 'sha1',
  '02': 'md5',
  '05': 'sha224',
  '06': 'sha256',
  '07': 'sha384',
  '08': 'sha512',
} as const

/** NK is not here: it carries others, so the box itself does it. */
export const boxHandlers: Handlers<Exclude<keyof typeof BOX_COMMANDS, 'NK'>> = {
  NC: ({ lmk, box }) => ({
    values: { lmkCheckValue: lmk.checkValue, firmware: box.settings.firmware },
  }),
  NO: ({ request, box }) => ({
    values: request.mode === '01' ? { pci: box.settings.pci ? '1' : '0' } : status(box.settings),
  }),
  B2: ({ request }) => ({ values: { data: request.data } }),
  RA: ({ box }) => {
    box.authorised = false
    return { values: {} }
  },
  N0: ({ request, box }) => ({ values: { random: box.random.bytes(Number(request.length)) } }),
  LG: ({ request, box }) => {
    box.delayMs = Number(request.delayMs)
    return { values: {} }
  },
  GM: ({ request }) => ({
    values: { digest: createHash(HASHES[request.hash]).update(request.data).digest() },
  }),
}

/** Buffer 3 is 32 KiB, network 1 is TCP. */
function status({ firmware, connectionsMax }: { firmware: string; connectionsMax: number }) {
  return {
    buffer: '3',
    network: '1',
    sockets: String(Math.min(99, connectionsMax)).padStart(2, '0'),
    firmware,
    reserved1: '0',
    reserved2: '0000',
  }
}

/** A chain carries commands, but no chain. */
export function checkChained(command: string): void {
  if (command.startsWith('NK')) throw new HostRefusal('15', 'commands')
}
