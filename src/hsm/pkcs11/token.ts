import type * as Pkcs11Js from 'pkcs11js'
import { errorText, NadiError } from '#base'
import { readSecret } from '../soft/lmk.ts'
import type { LmkSource } from '../soft/lmk.ts'

/** Where the LMK is: in the token with this label, as two keys named after `key`. */
export type TokenOptions = {
  /** The library of the token's maker: /usr/lib/softhsm/libsofthsm2.so. */
  readonly library: string
  readonly token: string
  readonly key: string
  /** Where the user PIN of the token is. */
  readonly pin: LmkSource
}

type Module = typeof Pkcs11Js
type Keys = { readonly encryption: Pkcs11Js.Handle; readonly mac: Pkcs11Js.Handle }

/** One key for one purpose: the token itself refuses the other. */
const SUFFIXES = { encryption: '-enc', mac: '-mac' } as const
const BLOCK_BYTES = 16

/**
 * A session with a token, in which two AES-256 keys stay that cannot be taken out. Calls are
 * synchronous: the thread that has it does nothing else. After any failure the session is not
 * trusted any more (a token can be left in the middle of an operation); a new one is tried once.
 */
export class Token {
  readonly #module: Module
  readonly #lib: Pkcs11Js.PKCS11
  readonly #options: TokenOptions
  #session: Pkcs11Js.Handle | undefined
  #keys: Keys | undefined

  private constructor(module: Module, options: TokenOptions) {
    this.#module = module
    this.#lib = new module.PKCS11()
    this.#options = options
  }

  /** Throws HSM_LMK: no library, no such token or key, a wrong PIN, a key that could leave. */
  static async open(options: TokenOptions): Promise<Token> {
    const token = new Token(await loaded(), options)
    try {
      token.#initialize()
      token.#connect()
    } catch (error) {
      throw token.#lmkError(error)
    }
    return token
  }

  /** Makes the two keys in the token, once, at the key ceremony. Throws HSM_LMK when they are there. */
  static async makeKeys(options: TokenOptions): Promise<void> {
    const token = new Token(await loaded(), options)
    try {
      token.#initialize()
      token.#logIn()
      token.#make()
    } catch (error) {
      throw token.#lmkError(error)
    } finally {
      token.close()
    }
  }

  encryptCbc(iv: Uint8Array, data: Uint8Array): Buffer {
    const { CKM_AES_CBC: mechanism } = this.#module
    return this.#call((session, { encryption }) => {
      this.#lib.C_EncryptInit(session, { mechanism, parameter: Buffer.from(iv) }, encryption)
      return this.#lib.C_Encrypt(session, Buffer.from(data), Buffer.alloc(data.length))
    })
  }

  decryptCbc(iv: Uint8Array, data: Uint8Array): Buffer {
    const { CKM_AES_CBC: mechanism } = this.#module
    return this.#call((session, { encryption }) => {
      this.#lib.C_DecryptInit(session, { mechanism, parameter: Buffer.from(iv) }, encryption)
      return this.#lib.C_Decrypt(session, Buffer.from(data), Buffer.alloc(data.length))
    })
  }

  cmac(data: Uint8Array): Buffer {
    const { CKM_AES_CMAC: mechanism } = this.#module
    return this.#call((session, { mac }) => {
      this.#lib.C_SignInit(session, { mechanism }, mac)
      return this.#lib.C_Sign(session, Buffer.from(data), Buffer.alloc(BLOCK_BYTES))
    })
  }

  /** Ends the session. The library stays: other threads may be using it. */
  close(): void {
    const session = this.#session
    this.#session = undefined
    this.#keys = undefined
    if (session === undefined) return
    try {
      this.#lib.C_CloseSession(session)
    } catch {
      // A session that is gone already is what was wanted.
    }
  }

  #call<T>(run: (session: Pkcs11Js.Handle, keys: Keys) => T): T {
    try {
      return run(...this.#connected())
    } catch {
      this.close()
    }
    try {
      return run(...this.#connected())
    } catch (error) {
      this.close()
      throw new NadiError('HSM_UNAVAILABLE', { path: 'pkcs11', hint: this.#nameOf(error) })
    }
  }

  #connected(): [Pkcs11Js.Handle, Keys] {
    if (this.#session === undefined || !this.#keys) this.#connect()
    return [this.#session as Pkcs11Js.Handle, this.#keys as Keys]
  }

  #connect(): void {
    this.#logIn()
    this.#keys = { encryption: this.#keyOf('encryption'), mac: this.#keyOf('mac') }
  }

  #initialize(): void {
    this.#lib.load(this.#options.library)
    const { CKF_OS_LOCKING_OK: flags, CKR_CRYPTOKI_ALREADY_INITIALIZED: already } = this.#module
    try {
      this.#lib.C_Initialize({ flags })
    } catch (error) {
      // Another thread of this process has done it.
      if (!this.#isCode(error, already)) throw error
    }
  }

  #logIn(): void {
    const { CKF_SERIAL_SESSION, CKF_RW_SESSION, CKU_USER, CKR_USER_ALREADY_LOGGED_IN } =
      this.#module
    const session = this.#lib.C_OpenSession(this.#slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION)
    this.#session = session
    const pin = readSecret(this.#options.pin)
    try {
      this.#lib.C_Login(session, CKU_USER, pin.toString('utf8').trim())
    } catch (error) {
      // A login is the process's, not the session's.
      if (!this.#isCode(error, CKR_USER_ALREADY_LOGGED_IN)) throw error
    } finally {
      pin.fill(0)
    }
  }

  #slot(): Pkcs11Js.Handle {
    const { library: path, token } = this.#options
    const slot = this.#lib
      .C_GetSlotList(true)
      .find(one => this.#lib.C_GetTokenInfo(one).label.trim() === token)
    if (slot) return slot
    throw new NadiError('HSM_LMK', { path, expected: `a token with the label ${token}` })
  }

  #find(purpose: keyof typeof SUFFIXES): Pkcs11Js.Handle | null {
    const { CKA_CLASS, CKA_LABEL, CKO_SECRET_KEY } = this.#module
    const session = this.#session as Pkcs11Js.Handle
    this.#lib.C_FindObjectsInit(session, [
      { type: CKA_CLASS, value: CKO_SECRET_KEY },
      { type: CKA_LABEL, value: this.#options.key + SUFFIXES[purpose] },
    ])
    try {
      return this.#lib.C_FindObjects(session)
    } finally {
      this.#lib.C_FindObjectsFinal(session)
    }
  }

  #keyOf(purpose: keyof typeof SUFFIXES): Pkcs11Js.Handle {
    const path = this.#options.key + SUFFIXES[purpose]
    const key = this.#find(purpose)
    if (!key) throw new NadiError('HSM_LMK', { path, expected: 'a key with this label' })
    const { CKA_SENSITIVE, CKA_EXTRACTABLE } = this.#module
    const [sensitive, extractable] = this.#lib.C_GetAttributeValue(
      this.#session as Pkcs11Js.Handle,
      key,
      [{ type: CKA_SENSITIVE }, { type: CKA_EXTRACTABLE }],
    )
    if (!isTrue(sensitive) || isTrue(extractable))
      throw new NadiError('HSM_LMK', { path, expected: 'a key that cannot leave the token' })
    return key
  }

  #make(): void {
    const { CKM_AES_KEY_GEN: mechanism } = this.#module
    for (const purpose of ['encryption', 'mac'] as const) {
      const path = this.#options.key + SUFFIXES[purpose]
      if (this.#find(purpose))
        throw new NadiError('HSM_LMK', { path, actual: 'it is there already' })
      const session = this.#session as Pkcs11Js.Handle
      this.#lib.C_GenerateKey(session, { mechanism }, this.#template(purpose, path))
    }
  }

  #template(purpose: keyof typeof SUFFIXES, label: string): Pkcs11Js.Template {
    const m = this.#module
    const encrypts = purpose === 'encryption'
    return [
      { type: m.CKA_CLASS, value: m.CKO_SECRET_KEY },
      { type: m.CKA_KEY_TYPE, value: m.CKK_AES },
      { type: m.CKA_VALUE_LEN, value: 32 },
      { type: m.CKA_LABEL, value: label },
      { type: m.CKA_TOKEN, value: true },
      { type: m.CKA_PRIVATE, value: true },
      { type: m.CKA_SENSITIVE, value: true },
      { type: m.CKA_EXTRACTABLE, value: false },
      { type: m.CKA_ENCRYPT, value: encrypts },
      { type: m.CKA_DECRYPT, value: encrypts },
      { type: m.CKA_SIGN, value: !encrypts },
      { type: m.CKA_VERIFY, value: !encrypts },
    ]
  }

  #isCode(error: unknown, code: number): boolean {
    return error instanceof this.#module.Pkcs11Error && error.code === code
  }

  /** The name that the standard gives to what went wrong (CKR_…). */
  #nameOf(error: unknown): string {
    if (error instanceof this.#module.Pkcs11Error) return error.message
    return errorText(error)
  }

  #lmkError(error: unknown): NadiError {
    this.close()
    if (error instanceof NadiError) return error
    return new NadiError('HSM_LMK', { path: this.#options.library, hint: this.#nameOf(error) })
  }
}

async function loaded(): Promise<Module> {
  try {
    const { default: module } = (await import('pkcs11js')) as unknown as { default: Module }
    return module
  } catch (error) {
    const hint = 'the package pkcs11js is not installed or not built'
    throw new NadiError('HSM_LMK', { path: 'pkcs11js', hint, cause: error })
  }
}

function isTrue(attribute: Pkcs11Js.AttributeResult | undefined): boolean {
  return Buffer.isBuffer(attribute?.value) && attribute.value[0] === 1
}
