import { timingSafeEqual } from 'node:crypto'
import { NadiError } from '#base'
import { KEY_TYPES, makesMac } from '../../key-types.ts'
import type { KeyUse } from '../../key-types.ts'
import type { CipherOf, CvvOf, MacAlgorithm, MacOf } from '../../payment-hsm.ts'
import { checkData, checkNumber, checkPan, digits, wrong } from '../../request.ts'
import { TYPE_OF_BLOCK } from '../grammar/index.ts'
import type { Asking } from './asking.ts'
import { hostKeyFor, isAesKind } from './host-key.ts'
import type { HostKey } from './host-key.ts'
import { DESCRIPTOR, serial } from './pin-operations.ts'

/** Fewer bytes of a MAC could be guessed. */
const MAC_BYTES_MIN = 4
/** What M6 gives at most, of a CMAC under AES, too. */
export const MAC_BYTES_MAX = 8
const ALGORITHMS: Readonly<Record<Exclude<MacAlgorithm, 'hmac'>, '1' | '3' | '6'>> = {
  cbc: '1',
  retail: '3',
  cmac: '6',
}

/** MACs, card verification values, encryption: M6, M8, GW, CW, CY, M0, M2. */
export class DataOperations {
  readonly #box: Asking

  constructor(box: Asking) {
    this.#box = box
  }

  async generateMac(request: MacOf): Promise<Uint8Array> {
    checkMac(request)
    const mac = await (request.ksn === undefined
      ? this.#zoneMac(request)
      : this.#deviceMac(request, request.ksn))
    return Uint8Array.from(Buffer.from(mac, 'hex').subarray(0, request.macBytes))
  }

  async verifyMac(request: MacOf & { readonly mac: Uint8Array }): Promise<boolean> {
    checkMac(request)
    const { mac, macBytes, ksn } = request
    if (ksn !== undefined) return same(await this.generateMac(request), mac)
    const fields = this.#fields(request, 'check-mac')
    if (mac.length !== macBytes) return false
    const text = Buffer.from(mac).toString('hex').toUpperCase()
    // M8 knows two lengths; of any other the box makes the MAC, if the key may.
    if (macBytes === MAC_BYTES_MAX)
      return this.#box.verify('M8', { ...fields, macSize: '1', mac: text })
    if (macBytes === MAC_BYTES_MIN)
      return this.#box.verify('M8', { ...fields, macSize: '0', mac: text })
    return same(await this.generateMac(request), mac)
  }

  async generateCvv(request: CvvOf): Promise<string> {
    const { values } = await this.#box.ask('CW', cardFields(request, 'make-cvv'), {
      paths: { '10': 'cvk', '27': 'cvk' },
    })
    return values.value
  }

  async verifyCvv(request: CvvOf & { readonly cvv: string }): Promise<boolean> {
    const value = digits(request.cvv, 'cvv', 3)
    const fields = { ...cardFields(request, 'check-cvv'), value }
    return this.#box.verify('CY', fields, { '10': 'cvk', '27': 'cvk' })
  }

  async encrypt(request: CipherOf): Promise<Uint8Array> {
    return this.#cipher('M0', request, 'encrypt')
  }

  async decrypt(request: CipherOf): Promise<Uint8Array> {
    return this.#cipher('M2', request, 'decrypt')
  }

  async #zoneMac(request: MacOf): Promise<string> {
    const fields = this.#fields(request, 'make-mac')
    return (await this.#box.ask('M6', { ...fields, macSize: '1' })).values.mac
  }

  async #deviceMac(request: MacOf, ksn: string): Promise<string> {
    const { values } = await this.#box.ask('GW', {
      mode: '4',
      method: '1',
      bdk: bdkFor(request).text,
      descriptor: DESCRIPTOR,
      ksn: serial(ksn),
      data: request.data,
    })
    return values.newMac ?? ''
  }

  #fields(request: MacOf, use: KeyUse) {
    const key = macKey(request, use)
    const { algorithm, padding = 1, data } = request
    return {
      mode: '0',
      inputFormat: '0',
      algorithm: ALGORITHMS[algorithm as 'cbc'],
      padding: algorithm === 'cmac' ? '0' : (String(padding) as '1'),
      keyType: this.#codeOf(key),
      key: key.text,
      data,
    } as const
  }

  async #cipher(
    command: 'M0' | 'M2',
    { key: text, mode, iv, data }: CipherOf,
    use: KeyUse,
  ): Promise<Uint8Array> {
    if (mode !== 'ecb' && mode !== 'cbc') throw wrong('mode', 'ecb or cbc')
    const key = hostKeyFor(text, 'key', use)
    const blockBytes = isAesKind(key.kind) ? 16 : 8
    checkData(data, blockBytes)
    if (iv && (mode === 'ecb' || iv.length !== blockBytes)) {
      throw wrong('iv', mode === 'ecb' ? 'none' : `${blockBytes} bytes`)
    }
    const chain = Buffer.from(iv ?? new Uint8Array(blockBytes))
      .toString('hex')
      .toUpperCase()
    const { values } = await this.#box.ask(command, {
      mode: mode === 'ecb' ? '00' : '01',
      inputFormat: '0',
      outputFormat: '0',
      keyType: this.#codeOf(key),
      key: key.text,
      ...(mode === 'cbc' && { iv: chain }),
      data,
    })
    return Uint8Array.from(values.output)
  }

  #codeOf({ type }: HostKey): string {
    return this.#box.blocks ? TYPE_OF_BLOCK : KEY_TYPES[type].variant
  }
}

function checkMac({ algorithm, padding = 1, data, macBytes }: MacOf): void {
  if (![1, 2, 3].includes(padding)) throw wrong('padding', '1, 2 or 3')
  checkData(data)
  if (algorithm === 'hmac') throw notPermitted('algorithm', 'retail, cbc or cmac')
  if (algorithm === 'cmac' && macBytes > MAC_BYTES_MAX && macBytes <= 16) {
    throw notPermitted('macBytes', `at most ${MAC_BYTES_MAX}`)
  }
  checkNumber(macBytes, 'macBytes', MAC_BYTES_MIN, MAC_BYTES_MAX)
}

function macKey({ key: text, algorithm }: MacOf, use: KeyUse): HostKey {
  const key = hostKeyFor(text, 'key', use)
  if (makesMac(key.type, algorithm)) return key
  const expected = `a key for ${algorithm}`
  throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected, actual: key.type })
}

/** GW makes the retail MAC of a request, filled up with zeros, and no other. */
function bdkFor({
  key: text,
  algorithm,
  direction,
  padding = 1,
  derived = 'TDES2',
}: MacOf): HostKey {
  const key = hostKeyFor(text, 'key', 'derive')
  if (isAesKind(key.kind)) throw notPermitted('key', 'a BDK of TDES')
  if (algorithm !== 'retail') throw notPermitted('algorithm', 'retail')
  if (direction === 'response') throw notPermitted('direction', 'request')
  if (padding !== 1) throw notPermitted('padding', '1')
  if (derived !== 'TDES2') throw new NadiError('HSM_KEY_USAGE', { path: 'key' })
  return key
}

function cardFields({ cvk, pan, expiry, service }: CvvOf, use: KeyUse) {
  const key = hostKeyFor(cvk, 'cvk', use)
  checkPan(pan)
  return {
    cvk: key.text,
    account: pan,
    expiry: digits(expiry, 'expiry', 4),
    service: digits(service, 'service', 3),
  }
}

function same(made: Uint8Array, given: Uint8Array): boolean {
  return made.length === given.length && timingSafeEqual(made, given)
}

function notPermitted(path: string, expected: string): NadiError {
  return new NadiError('HSM_NOT_PERMITTED', { path, expected })
}
