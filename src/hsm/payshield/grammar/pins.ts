import { account, choice, cipher, counted, digits, flag, hex, key, pin, when } from './field.ts'
import { command } from './command.ts'
import { dukpt, ibm, pan, pinFormat, pinKeyType, typedKey } from './fields.ts'
import type { RoleName } from './key-type.ts'

const maxLength = digits('maxLength', 2)
const checkLength = digits('checkLength', 2, '15')
const offset = hex('offset', 12)
const pvki = digits('pvki', 1)
const pvv = digits('pvv', 4)
const pvk = key('pvk', 'PVK', { use: 'verify', parity: '11' })
const pvkToMake = key('pvk', 'PVK', { use: 'generate', parity: '11' })
/** Two single keys side by side, when it has no letter. */
const pvkPair = key('pvk', 'PVK', { bare: 32, use: 'verify', parity: '11' })
const pvkPairToMake = key('pvk', 'PVK', { bare: 32, use: 'generate', parity: '11' })
const pinKey = (type: RoleName) => key('key', type, { use: 'decrypt' })
const eitherPinKey = typedKey('decrypt', 'ZPK', 'TPK')
const block = cipher('block', 'key')
const bdk = key('bdk', 'BDK', { bare: 32, use: 'derive' })

const translated = [
  digits('pinLength', 2),
  cipher('blockTo', 'destination'),
  digits('formatTo', 2),
] as const

/** From a zone or terminal to a zone, or to a device whose keys derive from a BDK. */
function translate(title: string, type: RoleName) {
  return command(
    title,
    [
      key('source', type, { use: 'decrypt' }),
      flag('destinationFlag', ['*', '~']),
      key(
        'destination',
        { by: 'destinationFlag', of: { '': 'ZPK', '*': 'BDK', '~': 'BDK2' } },
        { use: 'encrypt', parity: '11' },
      ),
      when('destinationFlag', ['*', '~'], hex('descriptorTo', 3), hex('ksnTo', 20)),
      maxLength,
      cipher('block', 'source'),
      digits('formatFrom', 2, '23'),
      digits('formatInto', 2, '23'),
      account('account', 'formatFrom', 'formatInto'),
    ],
    translated,
  )
}

function verifyIbm(title: string, type: RoleName) {
  return command(
    title,
    [pinKey(type), pvk, maxLength, block, pinFormat, checkLength, pan, ...ibm, offset],
    [],
    { warnings: ['02'] },
  )
}

function verifyVisa(title: string, type: RoleName) {
  return command(title, [pinKey(type), pvkPair, block, pinFormat, pan, pvki, pvv], [])
}

function compare(title: string, type: RoleName) {
  return command(title, [pinKey(type), block, pinFormat, pan, pin('pin', 'under LMK')], [])
}

function toLmk(title: string, type: RoleName) {
  return command(title, [pinKey(type), block, pinFormat, pan], [pin('pin', 'under LMK')])
}

/** The MAC of the whole message may be verified along with the PIN. */
const macFlags = [
  flag('macMode', ['1', '2', '3'], '123UTSR'),
  flag('macMethod', ['1', '2'], 'UTSR'),
] as const
const macOfMessage = when('macMode', ['1', '2', '3'], hex('mac', 16), counted('message', 4, 16))
const macResult = when('macMode', ['1', '2', '3'], hex('macCode', 2))

export const PIN_COMMANDS = {
  CA: translate('PIN from TPK to ZPK or BDK', 'TPK'),
  CC: translate('PIN from one ZPK to another', 'ZPK'),
  CI: command(
    'PIN from BDK (single length DUKPT) to ZPK',
    [
      bdk,
      key('destination', 'ZPK', { use: 'encrypt', parity: '11' }),
      ...dukpt,
      hex('block', 16),
      digits('formatInto', 2, '23'),
      account('account', 'formatInto'),
    ],
    translated,
  ),
  G0: command(
    'PIN from BDK (DUKPT) to ZPK or another BDK',
    [
      flag('sourceFlag', ['*', '~']),
      key(
        'bdk',
        { by: 'sourceFlag', of: { '': 'BDK', '*': 'BDK', '~': 'BDK2' } },
        { use: 'derive', bare: 32 },
      ),
      flag('destinationFlag', ['*', '~']),
      key(
        'destination',
        { by: 'destinationFlag', of: { '': 'ZPK', '*': 'BDK', '~': 'BDK2' } },
        { use: 'encrypt', parity: '11' },
      ),
      ...dukpt,
      when('destinationFlag', ['*', '~'], hex('descriptorTo', 3), hex('ksnTo', 20)),
      hex('block', 16),
      digits('formatFrom', 2, '23'),
      digits('formatInto', 2, '23'),
      account('account', 'formatFrom', 'formatInto'),
    ],
    translated,
  ),
  DA: verifyIbm('verify a terminal PIN (IBM offset)', 'TPK'),
  EA: verifyIbm('verify an interchange PIN (IBM offset)', 'ZPK'),
  DC: verifyVisa('verify a terminal PIN (PVV)', 'TPK'),
  EC: verifyVisa('verify an interchange PIN (PVV)', 'ZPK'),
  BC: compare('verify a terminal PIN by comparison', 'TPK'),
  BE: compare('verify an interchange PIN by comparison', 'ZPK'),
  CK: command(
    'verify a DUKPT PIN (IBM offset, single length DUKPT)',
    [bdk, pvk, ...dukpt, hex('block', 16), checkLength, account('account'), ...ibm, offset],
    [],
  ),
  CM: command(
    'verify a DUKPT PIN (PVV, single length DUKPT)',
    [bdk, pvkPair, ...dukpt, hex('block', 16), account('account'), pvki, pvv],
    [],
  ),
  GO: command(
    'verify a DUKPT PIN (IBM offset)',
    [
      choice('mode', ['0', '1', '2']),
      ...macFlags,
      bdk,
      pvk,
      ...dukpt,
      hex('block', 16),
      pinFormat,
      checkLength,
      pan,
      ...ibm,
      offset,
      macOfMessage,
    ],
    [macResult],
    { warnings: ['02'] },
  ),
  GQ: command(
    'verify a DUKPT PIN (PVV)',
    [
      choice('mode', ['0', '1', '2']),
      ...macFlags,
      bdk,
      pvkPair,
      ...dukpt,
      hex('block', 16),
      pinFormat,
      pan,
      pvki,
      pvv,
      macOfMessage,
    ],
    [macResult],
  ),
  BK: command(
    'IBM offset of a PIN that the customer chose',
    [pinKeyType, eitherPinKey, pvkToMake, block, pinFormat, checkLength, pan, ...ibm],
    [offset],
    { warnings: ['02'] },
  ),
  DU: command(
    'verify a PIN and make the IBM offset of a new one',
    [
      pinKeyType,
      eitherPinKey,
      pvkToMake,
      block,
      pinFormat,
      checkLength,
      pan,
      ...ibm,
      hex('offsetNow', 12),
      cipher('newBlock', 'key'),
    ],
    [offset],
    { warnings: ['02'] },
  ),
  DE: command(
    'IBM offset of a PIN under the LMK',
    [pvkToMake, pin('pin', 'under LMK'), checkLength, account('account'), ...ibm],
    [offset],
    { warnings: ['02'] },
  ),
  EE: command(
    'PIN from its IBM offset',
    [pvkToMake, offset, checkLength, account('account'), ...ibm],
    [pin('pin', 'under LMK')],
    { warnings: ['02'] },
  ),
  CU: command(
    'verify a PIN and make the PVV of a new one',
    [
      pinKeyType,
      eitherPinKey,
      pvkPairToMake,
      block,
      pinFormat,
      pan,
      pvki,
      digits('pvvNow', 4),
      cipher('newBlock', 'key'),
    ],
    [pvv],
  ),
  FW: command(
    'PVV of a PIN that the customer chose',
    [pinKeyType, eitherPinKey, pvkPairToMake, block, pinFormat, pan, pvki],
    [pvv],
  ),
  DG: command(
    'PVV of a PIN under the LMK',
    [pvkPairToMake, pin('pin', 'under LMK'), account('account'), pvki],
    [pvv],
  ),
  JC: toLmk('PIN from TPK to LMK', 'TPK'),
  JE: toLmk('PIN from ZPK to LMK', 'ZPK'),
  JG: command(
    'PIN from LMK to ZPK',
    [
      key('destination', 'ZPK', { use: 'encrypt', parity: '11' }),
      digits('formatInto', 2, '23'),
      account('account', 'formatInto'),
      pin('pin', 'under LMK'),
    ],
    [cipher('blockTo', 'destination')],
  ),
  JA: command(
    'random PIN',
    [account('account'), digits('pinLength', 2)],
    [pin('pin', 'under LMK')],
  ),
  BA: command(
    'clear PIN to LMK',
    [pin('clearPin', 'clear'), account('account')],
    [pin('pin', 'under LMK')],
    { clearPin: true, authorised: true },
  ),
  NG: command(
    'clear PIN from LMK',
    [account('account'), pin('pin', 'under LMK')],
    [pin('clearPin', 'clear')],
    { clearPin: true, authorised: true },
  ),
} as const
