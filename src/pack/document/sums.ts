import { minor, NadiError, ZERO, type AmountMinor } from '#base'
import { DICTIONARY, isPath, type Path } from '#message'
import { ACCESS, type Target } from '../access.ts'
import { parseFormat } from './format.ts'
import { PLAIN, type ValueScope } from './scope.ts'
import type { Value } from './value.ts'

/**
 * A sum on the wire of which one part is known otherwise: `selling_price: amountMinor plus adminMinor
 * rupiah`. Written it is the sum, read it tells the first part.
 */
export function sumOf(
  scope: ValueScope,
  path: Path,
  sign: 'plus' | 'minus',
  other: string,
  words: string,
  at: string,
): Value | undefined {
  const { check, prefix } = scope
  const second = `${prefix}${other}`
  if (!isPath(second) || DICTIONARY[second].kind !== 'money' || DICTIONARY[path].kind !== 'money') {
    return check.wrong(at, `only money is added up; "${path}" and "${second}" are not both money`)
  }
  const parsed = parseFormat(words, 'money')
  if (typeof parsed === 'string') return check.wrong(at, parsed)
  const { format, notation } = parsed
  const [access, also] = [ACCESS[path as 'amountMinor'], ACCESS[second as 'adminMinor']]
  const otherOf = (from: Target) => (also.get(from) as AmountMinor | undefined) ?? ZERO
  const by = sign === 'plus' ? 1n : -1n
  return {
    ...PLAIN,
    notation,
    derived: true,
    path,
    expected: `${format.expected}, of ${path} ${sign} ${second}`,
    read(text, into) {
      const value = format.read(text) as AmountMinor | undefined
      if (value === undefined) return false
      const amount = value - by * otherOf(into)
      if (amount < 0n) return false
      access.set(into, minor(amount))
      return true
    },
    write(from) {
      const value = access.get(from) as AmountMinor | undefined
      if (value === undefined) return undefined
      const text = format.write((value + by * otherOf(from)) as never)
      if (text === undefined)
        throw new NadiError('CODEC_VALUE', { path, expected: format.expected })
      return text
    },
    has: from => access.get(from) !== undefined,
  }
}

/**
 * One of several amounts of theirs that are one of ours: `retribusi: miscMinor rupiah`, then
 * `limbah: more miscMinor rupiah` and `diskon: less miscMinor rupiah`. Read it is added to, or taken
 * from, what was read before it; written it is nothing, since the first says all.
 */
export function partOfSum(
  scope: ValueScope,
  by: 1n | -1n,
  words: string,
  at: string,
): Value | undefined {
  const [name = '', ...format] = words.split(' ')
  const path = `${scope.prefix}${name}`
  if (!isPath(path) || DICTIONARY[path].kind !== 'money') {
    return scope.check.wrong(at, `only money is added up; "${name}" is not money of the message`)
  }
  const parsed = parseFormat(format.join(' '), 'money')
  if (typeof parsed === 'string') return scope.check.wrong(at, parsed)
  const access = ACCESS[path as 'amountMinor']
  return {
    ...PLAIN,
    notation: parsed.notation,
    path,
    expected: parsed.format.expected,
    read(text, into) {
      const value = parsed.format.read(text) as AmountMinor | undefined
      if (value === undefined) return false
      const before = (access.get(into) as AmountMinor | undefined) ?? ZERO
      access.set(into, minor(before + by * value))
      return true
    },
    write: () => parsed.format.write(ZERO as never),
  }
}
