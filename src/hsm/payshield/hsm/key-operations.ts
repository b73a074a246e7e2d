import { NadiError } from '#base'
import { isKeyType, KEY_KINDS, KEY_TYPES, mayComeAs, mayDo } from '../../key-types.ts'
import type { KeyKind, KeyType, KeyTypeName } from '../../key-types.ts'
import type { ExportScheme, KeyFacts, KeyParity, MadeKey } from '../../payment-hsm.ts'
import { checkNumber, wrong } from '../../request.ts'
import type { BlockHeader, RequestOf } from '../grammar/index.ts'
import { blockHeaderOf, TYPE_OF_BLOCK } from '../grammar/index.ts'
import type { Asking, HostLmk } from './asking.ts'
import { hostKey, hostKeyFor, isAesKind, kindIn, opaque } from './host-key.ts'
import type { HostKey } from './host-key.ts'

const RANDOM_BYTES_MAX = 4096
/** What N0 gives at once. */
const RANDOM_BYTES_ONCE = 999
const COMPONENTS_MAX = 9

/** The kinds of key that an LMK may wrap: none that is stronger. */
export const KINDS_UNDER: Readonly<Record<HostLmk['scheme'], readonly KeyKind[]>> = {
  variant: ['TDES2', 'TDES3'],
  'tdes-blocks': ['TDES2', 'TDES3'],
  'aes-blocks': ['TDES2', 'TDES3', 'AES128', 'AES192', 'AES256'],
}

/** Making keys, taking them in, giving them out: A0, A4, A6, A8, BU. */
export class KeyOperations {
  readonly #box: Asking

  constructor(box: Asking) {
    this.#box = box
  }

  async random(bytes: number): Promise<Uint8Array> {
    checkNumber(bytes, 'bytes', 1, RANDOM_BYTES_MAX)
    const parts: Uint8Array[] = []
    for (let left = bytes; left > 0; left -= RANDOM_BYTES_ONCE) {
      const length = String(Math.min(left, RANDOM_BYTES_ONCE)).padStart(3, '0')
      parts.push((await this.#box.ask('N0', { length })).values.random)
    }
    return Uint8Array.from(Buffer.concat(parts))
  }

  async generateKey(type: KeyTypeName, wanted?: KeyKind): Promise<MadeKey> {
    const kind = this.#kindFor(type, wanted)
    const { exportable, mode }: KeyType = KEY_TYPES[type]
    const { values } = await this.#box.ask('A0', {
      mode: '0',
      keyType: this.#codeOf(type),
      schemeLmk: this.#schemeOf(kind),
      ...(this.#box.blocks && blockHeader(type, kind, mode, exportable ? 'S' : 'N')),
    })
    return this.#made(type, kind, values)
  }

  /** The components are blocks that the box's own console made. */
  async formKey(type: KeyTypeName, components: readonly string[]): Promise<MadeKey> {
    checkType(type)
    checkNumber(components.length, 'components', 2, COMPONENTS_MAX)
    const parts = components.map((key, index) => hostKey(key, `components[${index}]`))
    const [first] = parts as [HostKey, ...HostKey[]]
    if (parts.some(part => part.type !== type || part.kind !== first.kind)) {
      const expected = `components of one ${type}`
      throw new NadiError('HSM_KEY_USAGE', { path: 'components', expected })
    }
    const { values } = await this.#box.ask('A4', {
      count: String(parts.length) as '2',
      keyType: this.#codeOf(type),
      schemeLmk: this.#schemeOf(first.kind),
      components: parts.map(({ text }) => text),
      ...(this.#box.blocks && { keyVersion: '00', optionalBlocks: '00' }),
    })
    return this.#made(type, first.kind, values)
  }

  async importKey(
    type: KeyTypeName,
    wrapped: string,
    under: string,
    parity: KeyParity = 'odd',
  ): Promise<MadeKey> {
    checkType(type)
    const zmk = hostKeyFor(under, 'under', 'unwrap')
    const found = /^(?:R(?=[A-D])|S(?=[01])|(?=[A-D]))(.+)$/.exec(wrapped)?.[1]
    const foreign = found === undefined ? fromHex(type, wrapped, zmk) : fromBlock(type, wrapped)
    this.#checkAlgorithm(type, foreign, zmk)
    if (foreign.kind !== undefined) this.#checkStrength(foreign.kind, zmk)
    const { values } = await this.#box
      .ask(
        'A6',
        {
          keyType: this.#codeOf(type),
          zmk: zmk.text,
          key: foreign.text,
          schemeLmk: this.#box.blocks ? 'S' : foreign.scheme,
          ...this.#headerFor(type, foreign),
        },
        { paths: { '10': 'under', BB: 'under' }, also: ['01'] },
      )
      .then(answer => {
        // The box corrects the parity and warns; a key from under another ZMK looks like that.
        if (answer.code === '01' && parity === 'odd')
          throw new NadiError('HSM_KEY_PARITY', { path: 'key' })
        return answer
      })
    const kind =
      foreign.kind ?? kindIn(values.key) ?? (values.key.startsWith('T') ? 'TDES3' : 'TDES2')
    return this.#made(type, kind, values, foreign.header)
  }

  async exportKey(key: string, under: string, scheme: ExportScheme): Promise<MadeKey> {
    const own = hostKey(key, 'key')
    const zmk = hostKeyFor(under, 'under', 'wrap')
    checkLeave(own, scheme)
    this.#checkStrength(own.kind, zmk)
    if (scheme !== 'R' && (isAesKind(own.kind) || isAesKind(zmk.kind))) throw notPermitted('scheme')
    const { values } = await this.#box.ask(
      'A8',
      {
        keyType: this.#codeOf(own.type),
        zmk: zmk.text,
        key: own.text,
        schemeZmk: scheme === 'R' ? 'R' : hexScheme(scheme, own.kind),
        // The other end must not pass it on.
        ...(scheme === 'R' && this.#box.blocks && { exportabilityZmk: 'N' }),
        ...(scheme === 'R' && !this.#box.blocks && blockHeader(own.type, own.kind, own.mode, 'N')),
      },
      { paths: { '10': 'under', BB: 'under' } },
    )
    const checkValue = isAesKind(own.kind) ? await this.checkValue(key) : values.checkValue
    return { key: values.key, checkValue }
  }

  async checkValue(key: string): Promise<string> {
    return this.#checkValue(hostKey(key, 'key'))
  }

  /** What stands in the key's own block; the box is not asked. */
  describeKey(key: string): KeyFacts {
    const { type, kind, exportability } = hostKey(key, 'key')
    return { type, kind, exportable: KEY_TYPES[type].exportable && exportability !== 'N' }
  }

  /** Three bytes for TDES, as A0, A4 and A6 give them; five for AES, which only BU gives. */
  async #made(
    type: KeyTypeName,
    kind: KeyKind,
    { key, checkValue }: { readonly key: string; readonly checkValue: string },
    header?: BlockHeader,
  ): Promise<MadeKey> {
    const own = opaque(type, kind, key, header)
    return { key: own, checkValue: isAesKind(kind) ? await this.checkValue(own) : checkValue }
  }

  async #checkValue({ type, kind, text }: HostKey): Promise<string> {
    const aes = isAesKind(kind)
    const { values } = await this.#box.ask('BU', {
      pairCode: 'FF',
      lengthFlag: this.#box.blocks ? 'F' : kind === 'TDES3' ? '2' : '1',
      key: text,
      delimiter: ';',
      keyType: this.#codeOf(type),
      reserved: '00',
      checkValueType: aes ? '0' : '1',
    })
    return aes ? values.checkValue.slice(0, 10) : values.checkValue
  }

  #codeOf(type: KeyTypeName): string {
    return this.#box.blocks ? TYPE_OF_BLOCK : KEY_TYPES[type].variant
  }

  #schemeOf(kind: KeyKind): string {
    if (this.#box.blocks) return 'S'
    return kind === 'TDES3' ? 'T' : 'U'
  }

  /** The kind asked for, or the first of the type's own that this LMK may wrap. */
  #kindFor(type: KeyTypeName, wanted: KeyKind | undefined): KeyKind {
    checkType(type)
    const { kinds }: KeyType = KEY_TYPES[type]
    if (wanted !== undefined && !kinds.includes(wanted)) throw wrong('kind', kinds.join(', '))
    const able = KINDS_UNDER[this.#box.lmk.scheme]
    const kind = kinds.find(one => able.includes(one) && (wanted ?? one) === one)
    if (kind === undefined) throw notPermitted('kind', able.join(', '))
    return kind
  }

  /** Behind `#`: what a key without a block is, or what a block's usage is called here. */
  #headerFor(type: KeyTypeName, { header }: Foreign): Partial<RequestOf<'A6'>> {
    if (!this.#box.blocks) return {}
    const { usage, mode, exportable }: KeyType = KEY_TYPES[type]
    if (header?.usage === usage) return {}
    return {
      usage,
      modeOfUse: header?.modeOfUse ?? mode,
      keyVersion: '00',
      exportability: header?.exportability ?? (exportable ? 'S' : 'N'),
      optionalBlocks: '00',
    }
  }

  /** A block tells the cipher of its key; how long the key is, only the box will see. */
  #checkAlgorithm(type: KeyTypeName, { algorithm }: Foreign, zmk: HostKey): void {
    const has = (kinds: readonly KeyKind[]) =>
      kinds.some(kind => KEY_KINDS[kind].algorithm === algorithm)
    if (!has(KEY_TYPES[type].kinds)) throw wrong('key', KEY_TYPES[type].kinds.join(', '))
    if (!has(KINDS_UNDER[this.#box.lmk.scheme])) throw notPermitted('key', 'a TDES key')
    if (algorithm === 'A' && !isAesKind(zmk.kind)) throw notPermitted('under', 'a stronger key')
  }

  /** No key under a weaker one (PCI PIN, annex C). */
  #checkStrength(kind: KeyKind, zmk: HostKey): void {
    if (KEY_KINDS[zmk.kind].strength < KEY_KINDS[kind].strength) {
      throw notPermitted('under', 'a stronger key')
    }
  }
}

/** A key under a ZMK, as far as it can be told from outside. */
type Foreign = {
  readonly text: string
  readonly algorithm: string
  readonly kind: KeyKind | undefined
  /** The scheme that it is kept in under a variant LMK. */
  readonly scheme: string
  readonly header: BlockHeader | undefined
}

/** A block says what the key is for, and that is kept to. */
function fromBlock(type: KeyTypeName, wrapped: string): Foreign {
  const text = /^[RS]/.test(wrapped) ? wrapped : `R${wrapped}`
  const header = blockHeaderOf(text)
  if (!header) throw wrong('key', 'a whole key block')
  const uses = KEY_TYPES[type].may
  const fits = mayComeAs(type, header.usage) && uses.some(use => mayDo(type, header.modeOfUse, use))
  if (!fits) throw new NadiError('HSM_KEY_USAGE', { path: 'key', expected: `a block of ${type}` })
  return { text, algorithm: header.algorithm, kind: undefined, scheme: 'U', header }
}

/** Hexadecimal digits in ECB; that it is of this type, the sender has to say otherwise. */
function fromHex(type: KeyTypeName, wrapped: string, zmk: HostKey): Foreign {
  const found = /^(?:[UX][0-9A-F]{32}|[TY][0-9A-F]{48})$/i.test(wrapped)
  if (!found) throw wrong('key', 'R or S and a block, U or X and 32 digits, T or Y and 48')
  if (isAesKind(zmk.kind)) throw wrong('under', 'a TDES key for this scheme')
  if (KEY_TYPES[type].usage === 'K0') throw notPermitted('key', 'a key block')
  const kind = wrapped.length > 33 ? 'TDES3' : 'TDES2'
  const { kinds }: KeyType = KEY_TYPES[type]
  if (!kinds.includes(kind)) throw wrong('key', kinds.join(', '))
  const text = wrapped.toUpperCase()
  return { text, algorithm: 'T', kind, scheme: kind === 'TDES3' ? 'T' : 'U', header: undefined }
}

function blockHeader(type: KeyTypeName, kind: KeyKind, modeOfUse: string, exportability: string) {
  const { algorithm, bytes } = KEY_KINDS[kind]
  const length = algorithm === 'A' ? bytes / 8 - 1 : bytes / 8
  return {
    usage: KEY_TYPES[type].usage,
    algorithm: `${algorithm}${length}`,
    modeOfUse,
    keyVersion: '00',
    exportability,
    optionalBlocks: '00',
  }
}

function checkType(type: KeyTypeName): void {
  if (!isKeyType(type)) throw wrong('type', Object.keys(KEY_TYPES).join(', '))
}

/** X9.143: N must not leave; E may leave in a key block only; S also in a legacy scheme. */
function checkLeave({ type, exportability }: HostKey, scheme: ExportScheme): void {
  if (!['R', 'X', 'U'].includes(scheme)) throw wrong('scheme', 'R, X or U')
  const enough = scheme === 'R' ? 'ES' : 'S'
  if (!KEY_TYPES[type].exportable || !enough.includes(exportability)) {
    throw notPermitted('key', 'a key that may leave')
  }
}

function hexScheme(scheme: 'X' | 'U', kind: KeyKind): string {
  if (kind !== 'TDES3') return scheme
  return scheme === 'X' ? 'Y' : 'T'
}

function notPermitted(path: string, expected?: string): NadiError {
  return new NadiError('HSM_NOT_PERMITTED', { path, ...(expected !== undefined && { expected }) })
}
