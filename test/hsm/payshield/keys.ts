import { SystemRandom } from '#base'
import type { Sealing } from '../../../src/hsm/payshield/simulator/lmk.ts'
import { testLmks } from '../../../src/hsm/payshield/simulator/test-lmks.ts'

const [variant, tdes, aes] = testLmks(new SystemRandom())

/** A clear key under the variant test LMK: the test's own way to put known keys into a box. */
export function under(code: string, hex: string, letter = hex.length === 16 ? '' : 'U'): string {
  return variant?.seal(Buffer.from(hex, 'hex'), 'T', { letter, code }) ?? ''
}

/** A clear key in a block under the TDES (01) or AES (02) test LMK. */
export function block(lmk: '01' | '02', hex: string, header: Partial<Sealing['header']>): string {
  const algorithm = header?.algorithm === 'A' ? 'A' : 'T'
  const whole = {
    usage: 'P0',
    algorithm,
    modeOfUse: 'N',
    keyVersion: '00',
    exportability: 'E',
    ...header,
  }
  const at = lmk === '01' ? tdes : aes
  return (
    at?.seal(Buffer.from(hex, 'hex'), algorithm, { letter: 'S', code: 'FFF', header: whole }) ?? ''
  )
}
