import type { ConditionSpec, TestSpec } from './spec.ts'

/** The value at a path of the message that is looked at; undefined when it is not there. */
export type Read = (path: string) => string | undefined

/** Whether one of the alternatives holds, each of which is a list of tests. */
export function holds(when: ConditionSpec['when'], read: Read): boolean {
  return when.some(tests => tests.every(test => passes(test, read(test.path))))
}

function passes(test: TestSpec, value: string | undefined): boolean {
  if (!('values' in test)) return (value !== undefined) === (test.test === 'there')
  if (value === undefined) return false
  const { values } = test
  switch (test.test) {
    case 'is':
      return values.includes(value)
    case 'is-not':
      return !values.includes(value)
    case 'starts':
      return values.some(start => value.startsWith(start))
    case 'starts-not':
      return !values.some(start => value.startsWith(start))
  }
}

/** What is demanded of the field of a condition in this message, or undefined. */
export function demandOf(
  { demand, when, otherwise }: ConditionSpec,
  read: Read,
): 'mandatory' | 'forbidden' | undefined {
  if (holds(when, read)) return demand
  return otherwise === 'allowed' ? undefined : otherwise
}

export const TEST_WORDS: Readonly<Record<TestSpec['test'], string>> = {
  there: 'is there',
  'not-there': 'is not there',
  is: 'is',
  'is-not': 'is not',
  starts: 'starts',
  'starts-not': 'does not start',
}

/** `39 is 00 and 3 starts 00|01 or 25 is there`: as tables have it. */
export function conditionText(when: ConditionSpec['when']): string {
  return when.map(tests => tests.map(testText).join(' and ')).join(' or ')
}

function testText(test: TestSpec): string {
  const words = `${test.path} ${TEST_WORDS[test.test]}`
  return 'values' in test ? `${words} ${test.values.map(valueText).join('|')}` : words
}

/** A value that would be read as something else stands in quotes. */
function valueText(value: string): string {
  const plain = /^[\w.+*/=:<>?-]+$/.test(value) && !/^(?:and|or|not|there)$/.test(value)
  return plain ? value : JSON.stringify(value)
}
