import type { KEY_COMMANDS } from '../../grammar/keys.ts'
import { HostRefusal } from '../../host-codes.ts'
import type { Call, Handlers } from '../call.ts'
import { checkValueOf } from '../../../crypto/parity.ts'
import type { OpenKey } from '../lmk.ts'
import { sealUnder } from '../wrapping.ts'
import { attributesOf, formed, imported, randomKey } from './making.ts'
import type { BlockAttributes } from './making.ts'

/** Digits that a check value type asks for; without one the older commands give all. */
export function checkDigits(type: string | undefined): 6 | 16 {
  return type === '1' ? 6 : 16
}

const kcv = ({ bytes, algorithm }: Pick<OpenKey, 'bytes' | 'algorithm'>, digits: 6 | 16 = 6) =>
  checkValueOf(bytes, algorithm, digits)

export const keyHandlers: Handlers<keyof typeof KEY_COMMANDS> = {
  A0: call => {
    const { request, lmk, box } = call
    const code = request.keyType.toUpperCase()
    checkTypeCode(call, code)
    const header = attributesOf(request)
    const made = randomKey(box, request.schemeLmk, request.algorithm, header)
    const key = lmk.seal(made.bytes, made.algorithm, {
      letter: request.schemeLmk,
      code,
      ...(header && { header }),
    })
    const checkValue = kcv(made)
    if (request.mode === '0') return { values: { key, checkValue } }
    const open: OpenKey = { ...made, letter: request.schemeLmk, code, header: undefined }
    const keyUnderZmk = sealUnder(
      call.keys.get('zmk'),
      open,
      { letter: request.schemeZmk ?? '', code, ...withExport(header, request.exportabilityZmk) },
      box.random,
    )
    return { values: { key, keyUnderZmk, checkValue } }
  },
  A4: ({ request, keys, lmk }) => {
    const key = formed(keys.list('components'))
    if (request.optionalBlocks !== undefined && request.optionalBlocks !== '00') {
      throw new HostRefusal('AB', 'optionalBlocks')
    }
    const header = key.header && { ...key.header, keyVersion: request.keyVersion ?? '00' }
    const sealed = lmk.seal(key.bytes, key.algorithm, {
      letter: request.schemeLmk,
      code: keys.code('components'),
      ...(header && { header }),
    })
    return { values: { key: sealed, checkValue: kcv(key) } }
  },
  A6: call => {
    const { request, keys, lmk } = call
    const { key, code } = imported(keys.get('key'))
    const header = importedHeader(call, key)
    const sealed = lmk.seal(key.bytes, key.algorithm, {
      letter: request.schemeLmk,
      code: keys.code('key'),
      ...(header && { header }),
    })
    return { code, values: { key: sealed, checkValue: kcv(key) } }
  },
  A8: ({ request, keys, box }) => {
    const key = keys.get('key')
    if (key.header?.exportability === 'N') throw new HostRefusal('AA', 'key')
    if (request.blockVersion !== undefined && !/^[BD]$/.test(request.blockVersion)) {
      throw new HostRefusal('15', 'blockVersion')
    }
    const sealed = sealUnder(
      keys.get('zmk'),
      key,
      {
        letter: request.schemeZmk,
        code: keys.code('key'),
        ...withExport(key.header ?? variantAttributes(request, key), request.exportabilityZmk),
      },
      box.random,
      request.blockVersion,
    )
    return { values: { key: sealed, checkValue: kcv(key) } }
  },
  BU: ({ request, keys }) => {
    const key = keys.get('key')
    if (!fitsFlag(request.lengthFlag, key)) throw new HostRefusal('05', 'lengthFlag')
    return { values: { checkValue: kcv(key, checkDigits(request.checkValueType)) } }
  },
  KA: ({ request, keys }) => ({
    values: { checkValue: kcv(keys.get('key'), checkDigits(request.checkValueType)) },
  }),
  B0: ({ request, keys, lmk }) => {
    const { bytes, algorithm, header } = keys.get('key')
    const code = keys.code('key')
    const as = { letter: request.schemeLmk, code, ...(header && { header }) }
    return { values: { key: lmk.seal(bytes, algorithm, as) } }
  },
  GG: call => formedZmk(call),
  GY: call => formedZmk(call),
}

function formedZmk({ request, keys, lmk }: Call<'GG'> | Call<'GY'>) {
  const key = formed(keys.list('components'))
  const { letter, header } = key
  const sealed = lmk.seal(key.bytes, key.algorithm, {
    letter: request.schemeLmk ?? letter,
    code: keys.code('components'),
    ...(header && { header }),
  })
  return { values: { key: sealed, checkValue: kcv(key, checkDigits(request.checkValueType)) } }
}

/** A0 has no key in its request that would show whether its type code is one. */
function checkTypeCode({ lmk, box }: Call<'A0'>, code: string): void {
  if (!box.opener.knows(code, lmk)) throw new HostRefusal('04', 'keyType')
}

function fitsFlag(flag: string, { bytes, header }: OpenKey): boolean {
  if (flag === 'F') return header !== undefined
  return header === undefined && bytes.length === 8 * (Number(flag) + 1)
}

/** A block keeps what it says of its key; `#` says it anew, and for a key that was none. */
function importedHeader({ request }: Call<'A6'>, key: OpenKey): BlockAttributes | undefined {
  const { usage, modeOfUse, keyVersion, exportability, optionalBlocks } = request
  if (usage === undefined) return key.header
  const bytes = key.bytes.length
  const count = key.algorithm === 'A' ? bytes / 8 - 1 : bytes / 8
  return attributesOf({
    usage,
    algorithm: `${key.header?.algorithm ?? key.algorithm}${count}`,
    ...(modeOfUse !== undefined && { modeOfUse }),
    ...(keyVersion !== undefined && { keyVersion }),
    ...(exportability !== undefined && { exportability }),
    ...(optionalBlocks !== undefined && { optionalBlocks }),
  })
}

/** A key of a variant LMK goes out as a block only with attributes, which it does not have itself. */
function variantAttributes(
  request: Call<'A8'>['request'],
  key: OpenKey,
): BlockAttributes | undefined {
  const { usage, algorithm, modeOfUse, keyVersion, exportability, optionalBlocks } = request
  if (usage === undefined) return undefined
  const wanted = `${key.algorithm}${key.bytes.length / 8}`
  if (algorithm !== wanted) throw new HostRefusal('A7', 'algorithm')
  return attributesOf({
    usage,
    algorithm,
    ...(modeOfUse !== undefined && { modeOfUse }),
    ...(keyVersion !== undefined && { keyVersion }),
    ...(exportability !== undefined && { exportability }),
    ...(optionalBlocks !== undefined && { optionalBlocks }),
  })
}

function withExport(
  header: BlockAttributes | undefined,
  exportability: string | undefined,
): { header?: BlockAttributes } {
  if (!header) return {}
  if (exportability !== undefined && !/^[ENS]$/.test(exportability)) {
    throw new HostRefusal('AA', 'exportability')
  }
  return { header: exportability === undefined ? header : { ...header, exportability } }
}
