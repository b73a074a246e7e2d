import { command } from './command.ts'
import { choice, digits, flag, hex, key, keys, restHex, scheme, tail, text, when } from './field.ts'
import { blockHeader } from './fields.ts'

const keyType = hex('keyType', 3, '04')
/** Under a ZMK or TMK; `;` and the flag came later than the command itself. */
const LETTERS = 'UTXYZSR'
const wrapping = key(
  'zmk',
  { by: 'zmkFlag', of: { '': 'ZMK', '0': 'ZMK', '1': 'TMK' } },
  { use: 'encrypt' },
)

/** Keys made, formed, taken in and given out: the commands that know all key types. */
export const KEY_COMMANDS = {
  A0: command(
    'generate a key',
    [
      choice('mode', ['0', '1']),
      keyType,
      scheme('schemeLmk'),
      when(
        'mode',
        ['1'],
        flag('delimiter', [';']),
        flag('zmkFlag', ['0', '1'], LETTERS),
        wrapping,
        scheme('schemeZmk'),
      ),
      blockHeader,
      tail('&', text('exportabilityZmk', 1)),
    ],
    [
      key('key', { code: 'keyType' }),
      when('mode', ['1'], key('keyUnderZmk', { code: 'keyType' }, { under: 'zmk' })),
      restHex('checkValue'),
    ],
  ),
  A4: command(
    'form a key from components',
    [
      choice('count', ['2', '3', '4', '5', '6', '7', '8', '9'], '03'),
      keyType,
      scheme('schemeLmk'),
      keys('components', 'count', { code: 'keyType' }),
      tail('#', text('keyVersion', 2), digits('optionalBlocks', 2, 'AB')),
    ],
    [key('key', { code: 'keyType' }), restHex('checkValue')],
    { authorised: true },
  ),
  A6: command(
    'import a key from under a ZMK',
    [
      keyType,
      key('zmk', 'ZMK', { use: 'decrypt' }),
      key('key', { code: 'keyType' }, { under: 'zmk', parity: '11' }),
      scheme('schemeLmk'),
      flag('atallaVariant', ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']),
      tail(
        '#',
        text('usage', 2),
        text('modeOfUse', 1),
        text('keyVersion', 2),
        text('exportability', 1),
        digits('optionalBlocks', 2, 'AB'),
      ),
    ],
    [key('key', { code: 'keyType' }), restHex('checkValue')],
    { warnings: ['01'] },
  ),
  A8: command(
    'export a key under a ZMK',
    [
      keyType,
      key('zmk', 'ZMK', { use: 'encrypt' }),
      key('key', { code: 'keyType' }, { parity: '11' }),
      scheme('schemeZmk'),
      tail('&', text('exportabilityZmk', 1)),
      tail('!', text('blockVersion', 1)),
      blockHeader,
    ],
    [key('key', { code: 'keyType' }, { under: 'zmk' }), restHex('checkValue')],
  ),
  BU: command(
    'check value of a key',
    [
      hex('pairCode', 2, '04'),
      choice('lengthFlag', ['0', '1', '2', 'F'], '05'),
      key('key', { pair: 'pairCode', code: 'keyType' }, { bare: { by: 'lengthFlag' } }),
      when('pairCode', ['FF'], choice('delimiter', [';']), hex('keyType', 3, '04')),
      tail(';', text('reserved', 2), digits('checkValueType', 1)),
    ],
    [restHex('checkValue')],
  ),
  KA: command(
    'check value of a key (older form)',
    [
      key('key', { pair: 'pairCode' }),
      hex('pairCode', 2, '04'),
      tail(';', text('reserved', 2), digits('checkValueType', 1)),
    ],
    [restHex('checkValue')],
  ),
  B0: command(
    'write a key in another scheme',
    [keyType, key('key', { code: 'keyType' }, { bare: 32 }), scheme('schemeLmk')],
    [key('key', { code: 'keyType' }, { bare: 32 })],
  ),
  GG: command(
    'form a ZMK from three components',
    [
      keys('components', 3, 'ZMK', { shared: 3 }),
      tail(';', text('reserved', 1), scheme('schemeLmk'), digits('checkValueType', 1)),
    ],
    [key('key', 'ZMK', { bare: { like: 'components' } }), restHex('checkValue')],
    { authorised: true },
  ),
  GY: command(
    'form a ZMK from two to nine components',
    [
      choice('count', ['2', '3', '4', '5', '6', '7', '8', '9'], '03'),
      keys('components', 'count', 'ZMK', { shared: 'count' }),
      tail(';', text('reserved', 1), scheme('schemeLmk'), digits('checkValueType', 1)),
    ],
    [key('key', 'ZMK', { bare: { like: 'components' } }), restHex('checkValue')],
    { authorised: true },
  ),
} as const
