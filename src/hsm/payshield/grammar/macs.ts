import { command } from './command.ts'
import {
  choice,
  cipher,
  counted,
  digits,
  hex,
  key,
  message,
  restHex,
  toEnd,
  until,
  when,
} from './field.ts'
import { dukpt, typedKey } from './fields.ts'
import type { KeyUse } from './key-type.ts'

const keyType = hex('keyType', 3, '05')
const parts = choice('part', ['0', '1', '2', '3'], '05')
const PARTLY = ['2', '3']

/** Modes 0 only, 1 first, 2 middle, 3 last block; algorithms 1 and 3 of ISO 9797-1, AES 5 and 6. */
const macRequest = (use: KeyUse) =>
  [
    choice('mode', ['0', '1', '2', '3'], '02'),
    choice('inputFormat', ['0', '1', '2'], '03'),
    choice('macSize', ['0', '1']),
    choice('algorithm', ['1', '3', '5', '6'], '04'),
    choice('padding', ['0', '1', '2', '3'], '09'),
    keyType,
    typedKey(use, 'TAK', 'ZAK'),
    when('mode', PARTLY, cipher('iv', 'key')),
    message('data', 'inputFormat'),
  ] as const

const cvv = [until('account', ';', 19, '22'), digits('expiry', 4), digits('service', 3)] as const
const cvk = (use: KeyUse) => key('cvk', 'CVK', { bare: 32, use })

/** Data under a key: modes 00 ECB, 01 CBC, 02 and 03 CFB by 8 and 64 bits. */
const dataRequest = (use: KeyUse) =>
  [
    choice('mode', ['00', '01', '02', '03'], '02'),
    choice('inputFormat', ['0', '1', '2'], '03'),
    choice('outputFormat', ['0', '1', '2'], '04'),
    keyType,
    typedKey(use, 'ZEK', 'DEK', 'TEK', 'BDK', 'BDK2'),
    when('keyType', ['009', '609'], ...dukpt),
    when('keyType', ['FFF'], when('key.usage', ['B0'], ...dukpt)),
    when('mode', ['01', '02', '03'], cipher('iv', 'key')),
    message('data', 'inputFormat'),
  ] as const
const dataResponse = [
  when('mode', ['01', '02', '03'], cipher('nextIv', 'key')),
  message('output', 'outputFormat'),
] as const

export const MAC_COMMANDS = {
  MA: command(
    'MAC (X9.9)',
    [key('tak', 'TAK', { use: 'generate' }), toEnd('data')],
    [hex('mac', 8)],
  ),
  MC: command(
    'verify a MAC (X9.9)',
    [key('tak', 'TAK', { use: 'verify' }), hex('mac', 8), toEnd('data')],
    [],
  ),
  ME: command(
    'verify a MAC and make it anew under another key',
    [
      key('tak', 'TAK', { use: 'verify' }),
      key('destination', 'TAK', { use: 'generate', parity: '11' }),
      hex('mac', 8),
      toEnd('data'),
    ],
    [hex('newMac', 8)],
  ),
  MQ: command(
    'MAC of a long message (X9.9), part by part',
    [
      parts,
      key('zak', 'ZAK', { use: 'generate' }),
      when('part', PARTLY, hex('iv', 16)),
      counted('data', 3, 16, { expandable: true }),
    ],
    [hex('mac', 16)],
  ),
  MS: command(
    'MAC of a long message (X9.19), part by part',
    [
      parts,
      choice('keyKind', ['0', '1'], '04'),
      choice('keyLength', ['0', '1'], '06'),
      choice('dataFormat', ['0', '1'], '03'),
      key('key', { by: 'keyKind', of: { '0': 'TAK', '1': 'ZAK' } }, { use: 'generate' }),
      when('part', PARTLY, hex('iv', 16)),
      message('data', 'dataFormat', true),
    ],
    [hex('mac', 16)],
  ),
  M6: command('MAC', macRequest('generate'), [restHex('mac')]),
  M8: command(
    'verify a MAC',
    [
      ...macRequest('verify'),
      when(
        'mode',
        ['0', '3'],
        when('macSize', ['0'], hex('mac', 8)),
        when('macSize', ['1'], hex('mac', 16)),
      ),
    ],
    [when('mode', ['1', '2'], restHex('nextIv'))],
  ),
  GW: command(
    'MAC under a DUKPT key',
    [
      choice('mode', ['1', '4']),
      choice('method', ['1']),
      key('bdk', 'BDK', { bare: 32, use: 'derive' }),
      ...dukpt,
      when('mode', ['1'], hex('mac', 16)),
      counted('data', 4, 16),
    ],
    [when('mode', ['4'], hex('newMac', 16))],
  ),
  CW: command('card verification value', [cvk('generate'), ...cvv], [digits('value', 3)]),
  CY: command('verify a card verification value', [cvk('verify'), digits('value', 3), ...cvv], []),
  M0: command('encrypt data', dataRequest('encrypt'), dataResponse),
  M2: command('decrypt data', dataRequest('decrypt'), dataResponse),
} as const
