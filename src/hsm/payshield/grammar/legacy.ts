import { command } from './command.ts'
import { choice, flag, key, restHex } from './field.ts'
import { schemes } from './fields.ts'
import type { KeyType } from './key-type.ts'

/**
 * The older key commands, one for each kind of key. Their tail is `;` and three characters: scheme
 * under ZMK or TMK, scheme under LMK, type of the check value (0: 16 digits, 1: 6 digits); one
 * that has no meaning for a command is filler. Without the tail keys keep the shape they came in
 * and check values have 16 digits.
 */

const zmkToWrap = key('zmk', 'ZMK', { use: 'encrypt' })
const zmkToUnwrap = key('zmk', 'ZMK', { use: 'decrypt' })
const tmk = key('tmk', 'TMK', { use: 'encrypt' })
const atalla = flag('atallaVariant', ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
const zekOrZak = { by: 'flag', of: { '0': 'ZEK', '1': 'ZAK' } } as const

/** ZMK and a key under it; answered by the key under the LMK. */
function importUnderZmk(title: string, type: KeyType, bare: 16 | 32 = 16) {
  return command(
    title,
    [zmkToUnwrap, key('key', type, { bare, under: 'zmk', parity: '11' }), atalla, schemes],
    [key('keyUnderLmk', type, { bare }), restHex('checkValue')],
    { warnings: ['01'] },
  )
}

/** ZMK and a key under the LMK; answered by the key under the ZMK. */
function exportUnderZmk(title: string, type: KeyType, bare: 16 | 32 = 16) {
  return command(
    title,
    [zmkToWrap, key('key', type, { bare, parity: '11' }), schemes],
    [key('keyUnderZmk', type, { bare, under: 'zmk' }), restHex('checkValue')],
  )
}

export const LEGACY_COMMANDS = {
  IA: command(
    'generate a ZPK',
    [zmkToWrap, schemes],
    [key('keyUnderZmk', 'ZPK', { under: 'zmk' }), key('keyUnderLmk', 'ZPK'), restHex('checkValue')],
  ),
  FA: importUnderZmk('ZPK from ZMK to LMK', 'ZPK'),
  GC: exportUnderZmk('ZPK from LMK to ZMK', 'ZPK'),
  HC: command(
    'generate a TMK, TPK or PVK under the current one',
    [key('current', 'TMK', { use: 'encrypt' }), schemes],
    [key('keyUnderCurrent', 'TMK', { under: 'current' }), key('keyUnderLmk', 'TMK')],
  ),
  HA: command(
    'generate a TAK',
    [tmk, schemes],
    [key('keyUnderTmk', 'TAK', { under: 'tmk' }), key('keyUnderLmk', 'TAK')],
  ),
  AE: command(
    'TMK, TPK or PVK from LMK to another TMK',
    [tmk, key('key', 'TMK', { parity: '11' }), schemes],
    [key('keyUnderTmk', 'TMK', { under: 'tmk' })],
  ),
  AG: command(
    'TAK from LMK to TMK',
    [tmk, key('key', 'TAK', { parity: '11' }), schemes],
    [key('keyUnderTmk', 'TAK', { under: 'tmk' }), restHex('checkValue')],
  ),
  FC: importUnderZmk('TMK, TPK or PVK from ZMK to LMK', 'TMK'),
  FE: exportUnderZmk('TMK, TPK or PVK from LMK to ZMK', 'TMK'),
  MI: importUnderZmk('TAK from ZMK to LMK', 'TAK'),
  MG: exportUnderZmk('TAK from LMK to ZMK', 'TAK'),
  FI: command(
    'generate a ZEK or ZAK',
    [choice('flag', ['0', '1']), zmkToWrap, schemes],
    [
      key('keyUnderZmk', zekOrZak, { under: 'zmk' }),
      key('keyUnderLmk', zekOrZak),
      restHex('checkValue'),
    ],
  ),
  FK: command(
    'ZEK or ZAK from ZMK to LMK',
    [
      choice('flag', ['0', '1']),
      zmkToUnwrap,
      key('key', zekOrZak, { under: 'zmk', parity: '11' }),
      atalla,
      schemes,
    ],
    [key('keyUnderLmk', zekOrZak), restHex('checkValue')],
    { warnings: ['01'] },
  ),
  FM: command(
    'ZEK or ZAK from LMK to ZMK',
    [choice('flag', ['0', '1']), zmkToWrap, key('key', zekOrZak, { parity: '11' }), schemes],
    [key('keyUnderZmk', zekOrZak, { under: 'zmk' }), restHex('checkValue')],
  ),
  AS: command(
    'generate a CVK pair',
    [schemes],
    [key('keyUnderLmk', 'CVK', { bare: 32 }), restHex('checkValue')],
  ),
  AW: importUnderZmk('CVK pair from ZMK to LMK', 'CVK', 32),
  AU: exportUnderZmk('CVK pair from LMK to ZMK', 'CVK', 32),
  BI: command(
    'generate a BDK',
    [schemes],
    [key('keyUnderLmk', 'BDK', { bare: 32 }), restHex('checkValue')],
  ),
  DW: importUnderZmk('BDK from ZMK to LMK', 'BDK', 32),
  DY: exportUnderZmk('BDK from LMK to ZMK', 'BDK', 32),
  BY: command(
    'ZMK from ZMK to LMK',
    [
      key('zmk', 'ZMK', { use: 'decrypt', bare: { shared: 2 } }),
      key('key', 'ZMK', { bare: { shared: 1 }, under: 'zmk', parity: '11' }),
      atalla,
      schemes,
    ],
    [key('keyUnderLmk', 'ZMK', { bare: { like: 'key' } }), restHex('checkValue')],
    { warnings: ['01'] },
  ),
} as const
