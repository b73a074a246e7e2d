import { command } from './command.ts'
import { chain, counted, digits, text, toEnd, hex, when, choice } from './field.ts'

/** A chain has one command at least. */
const COUNTS = Array.from({ length: 99 }, (_, index) => String(index + 1).padStart(2, '0'))

/** The box itself: is it there, what is it, and commands that carry others. */
export const BOX_COMMANDS = {
  NC: command('diagnostics', [], [hex('lmkCheckValue', 16), text('firmware', 9)]),
  NO: command(
    'status of the box',
    [choice('mode', ['00', '01'])],
    [
      when(
        'mode',
        ['00'],
        digits('buffer', 1),
        digits('network', 1),
        digits('sockets', 2),
        text('firmware', 9),
        text('reserved1', 1),
        text('reserved2', 4),
      ),
      when('mode', ['01'], digits('pci', 1)),
    ],
  ),
  B2: command('echo', [counted('data', 4, 16)], [toEnd('data')]),
  RA: command('cancel the authorised state', [], []),
  NK: command(
    'chain of commands',
    [choice('headers', ['0', '1']), choice('count', COUNTS, '52'), chain('commands', 'count')],
    [digits('count', 2), chain('responses', 'count')],
  ),
  N0: command('random bytes', [digits('length', 3)], [toEnd('random')]),
  LG: command('delay every answer', [digits('delayMs', 3)], []),
  GM: command(
    'hash of data',
    [choice('hash', ['01', '02', '05', '06', '07', '08'], '05'), counted('data', 5, 10)],
    [toEnd('digest')],
  ),
} as const
