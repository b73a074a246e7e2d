import type { RoleName } from '../../grammar/index.ts'
import { LETTER_LENGTHS } from '../../grammar/index.ts'
import type { LEGACY_COMMANDS } from '../../grammar/legacy.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { BoxState, Handlers } from '../call.ts'
import { checkValueOf } from '../../../crypto/parity.ts'
import type { Lmk, OpenKey } from '../lmk.ts'
import type { OpenKeys } from '../open-keys.ts'
import { sealUnder } from '../wrapping.ts'
import { checkDigits } from './keys.ts'
import { freshBytes, imported } from './making.ts'

/** The tail of these commands; see the head of grammar/legacy.ts. */
type Tail = {
  readonly schemeZmk?: string
  readonly schemeLmk?: string
  readonly checkValueType?: string
}

/** All that these calls have in common, whichever command it is. */
type LegacyCall = {
  readonly request: Tail
  readonly keys: OpenKeys
  readonly lmk: Lmk
  readonly box: BoxState
}

export const legacyHandlers: Handlers<keyof typeof LEGACY_COMMANDS> = {
  IA: call => generatedUnderZmk(call, 'ZPK'),
  FA: call => fromZmk(call),
  GC: call => toZmk(call),
  HC: call => {
    const current = call.keys.get('current')
    const key = generated(call, current.letter, call.keys.code('current'))
    return {
      values: {
        keyUnderCurrent: under(call, current, key, zmkLetter(call, current.letter)),
        keyUnderLmk: underLmk(call, key, lmkLetter(call, current.letter)),
      },
    }
  },
  HA: call => {
    const key = generated(call, '', call.box.opener.codeOf('TAK'))
    return {
      values: {
        keyUnderTmk: under(call, call.keys.get('tmk'), key, zmkLetter(call, '')),
        keyUnderLmk: underLmk(call, key, lmkLetter(call, '')),
      },
    }
  },
  AE: call => ({ values: { keyUnderTmk: toTmk(call) } }),
  AG: call => ({
    values: { keyUnderTmk: toTmk(call), checkValue: kcv(call, call.keys.get('key')) },
  }),
  FC: call => fromZmk(call),
  FE: call => toZmk(call),
  MI: call => fromZmk(call),
  MG: call => toZmk(call),
  FI: call => generatedUnderZmk(call, call.request.flag === '0' ? 'ZEK' : 'ZAK'),
  FK: call => fromZmk(call),
  FM: call => toZmk(call),
  AS: call => generatedPair(call, 'CVK', cvkCheckValue),
  AW: call => fromZmk(call, cvkCheckValue),
  AU: call => toZmk(call, cvkCheckValue),
  BI: call => generatedPair(call, 'BDK', kcv),
  DW: call => fromZmk(call),
  DY: call => toZmk(call),
  BY: call => fromZmk(call),
}

type CheckValue = (call: LegacyCall, key: OpenKey) => string

function fromZmk(call: LegacyCall, checkValue: CheckValue = kcv) {
  const { key, code } = imported(call.keys.get('key'))
  return {
    code,
    values: {
      keyUnderLmk: underLmk(call, key, lmkLetter(call, key.letter)),
      checkValue: checkValue(call, key),
    },
  }
}

function toZmk(call: LegacyCall, checkValue: CheckValue = kcv) {
  const key = call.keys.get('key')
  const keyUnderZmk = under(call, call.keys.get('zmk'), key, zmkLetter(call, key.letter))
  return { values: { keyUnderZmk, checkValue: checkValue(call, key) } }
}

function toTmk(call: LegacyCall): string {
  const key = call.keys.get('key')
  return under(call, call.keys.get('tmk'), key, zmkLetter(call, key.letter))
}

function generatedUnderZmk(call: LegacyCall, role: RoleName) {
  const key = generated(call, '', call.box.opener.codeOf(role))
  return {
    values: {
      keyUnderZmk: under(call, call.keys.get('zmk'), key, zmkLetter(call, '')),
      keyUnderLmk: underLmk(call, key, lmkLetter(call, '')),
      checkValue: kcv(call, key),
    },
  }
}

/** A key of two parts, which stand side by side without a letter where no scheme is asked for. */
function generatedPair(call: LegacyCall, role: RoleName, checkValue: CheckValue) {
  const bytes = freshBytes(call.box, { algorithm: 'T', bytes: 16 })
  const code = call.box.opener.codeOf(role)
  const key: OpenKey = { bytes, algorithm: 'T', letter: '', code, header: undefined }
  return {
    values: {
      keyUnderLmk: underLmk(call, key, lmkLetter(call, '')),
      checkValue: checkValue(call, key),
    },
  }
}

/** As long as the scheme under the LMK says, or else as what stands in for it. */
function generated(call: LegacyCall, letter: string, code: string): OpenKey {
  checkVariant(call.lmk)
  const bytes = (LETTER_LENGTHS[lmkLetter(call, letter)] ?? 16) / 2
  return {
    bytes: freshBytes(call.box, { algorithm: 'T', bytes }),
    algorithm: 'T',
    letter,
    code,
    header: undefined,
  }
}

function under({ box }: LegacyCall, wrapping: OpenKey, key: OpenKey, letter: string): string {
  return sealUnder(wrapping, key, { letter, code: key.code }, box.random)
}

function underLmk({ lmk }: LegacyCall, key: OpenKey, letter: string): string {
  checkVariant(lmk)
  return lmk.seal(key.bytes, key.algorithm, { letter, code: key.code })
}

/** These commands are older than key blocks. */
function checkVariant({ scheme }: Lmk): void {
  if (scheme !== 'variant') throw new HostRefusal('A1')
}

const zmkLetter = ({ request }: LegacyCall, otherwise: string) =>
  letterOf(request.schemeZmk, otherwise)
const lmkLetter = ({ request }: LegacyCall, otherwise: string) =>
  letterOf(request.schemeLmk, otherwise)

/** Z is a key without a letter, 0 is filler. */
function letterOf(asked: string | undefined, otherwise: string): string {
  if (asked === undefined || asked === '0') return otherwise
  if (LETTER_LENGTHS[asked] === undefined) throw new HostRefusal('26')
  return asked === 'Z' ? '' : asked
}

function kcv({ request }: LegacyCall, { bytes, algorithm }: OpenKey): string {
  return checkValueOf(bytes, algorithm, checkDigits(request.checkValueType))
}

/** Of a CVK pair 6 digits of each half, or with type 1 of the whole. */
function cvkCheckValue({ request }: LegacyCall, { bytes }: OpenKey): string {
  if (request.checkValueType === '1') return checkValueOf(bytes, 'T', 6)
  return checkValueOf(bytes.subarray(0, 8), 'T', 6) + checkValueOf(bytes.subarray(8), 'T', 6)
}
