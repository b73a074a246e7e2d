import { conditionText, TEST_WORDS } from '../codec/condition.ts'
import type { ConditionSpec, TestSpec } from '../codec/spec.ts'
import type { MapTree, Report } from './tree.ts'

export const PATH = /^[0-9]{1,3}(?:\.[0-9A-Za-z]{1,16})*$/

/**
 * What a message must or must not have by what else it has, one line an element:
 *
 *     38: when 39 is 00
 *     52: when 22 starts 01|02 and 35 is there, else forbidden
 *     54: forbidden when 3 is not 31|38
 *         ─────────      ─ ────── ─────
 *         mandatory      │ test   values, divided by | and in quotes where they have a blank
 *         where it is    │
 *         not said       path
 *
 * `and` binds closer than `or`. A test with values holds for no element that is not there.
 */
export function readConditions(map: MapTree, report: Report): ConditionSpec[] {
  return [...map.entries].flatMap(([path, { at, value }]) => {
    if (!PATH.test(path)) report(at, `"${path.slice(0, 40)}" is not an element`)
    if (value.tag !== 'text') {
      report(at, `"${path.slice(0, 40)}" is followed by its condition: ${EXAMPLE}`)
      return []
    }
    const condition = readCondition(path, value.text.trim(), text => report(value.at, text))
    return condition ? [condition] : []
  })
}

const EXAMPLE = 'when 39 is 00, else forbidden'
const LINE = /^(?:(mandatory|forbidden)\s+)?when\s+(.*?)(?:\s*,\s*else\s+(mandatory|forbidden))?$/s

type Demand = ConditionSpec['demand']

function readCondition(
  path: string,
  text: string,
  fail: (text: string) => void,
): ConditionSpec | undefined {
  const match = text.length > LINE_CHARS_MAX ? null : LINE.exec(text)
  if (!match) {
    fail(`"${text.slice(0, 60)}" is not a condition; write "${EXAMPLE}"`)
    return undefined
  }
  const [, demand = 'mandatory', condition = '', otherwise = 'allowed'] = match
  if (demand === otherwise) {
    fail(`it is ${demand} in either case: say so under "${demand}:"`)
    return undefined
  }
  const reader = new WordReader(condition)
  const when = readAlternatives(reader)
  if (!when || reader.next !== undefined) {
    const after = reader.before === '' ? 'when' : reader.before
    fail(`"${(reader.next ?? 'the end').slice(0, 40)}" cannot stand behind "${after}"; ${TESTS}`)
    return undefined
  }
  return {
    path,
    demand: demand as Demand,
    when,
    otherwise: otherwise as ConditionSpec['otherwise'],
  }
}

const TESTS = `write "3 is 00|01", "3 is not 00", "22 starts 05", "22 does not start 05", "25 is there" or "25 is not there", joined by and, or`
const LINE_CHARS_MAX = 1000

/** Words, and values with what divides them as one: `is`, `00|01`, `"a b"|c`. */
class WordReader {
  readonly #words: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#words = text.match(/(?:"(?:[^"\\]|\\.)*"|[^\s"]|")+/g) ?? []
  }

  get next(): string | undefined {
    return this.#words[this.#at]
  }

  get before(): string {
    return this.#words[this.#at - 1] ?? ''
  }

  take(): string | undefined {
    return this.#words[this.#at++]
  }

  /** Takes these words if they come next. */
  takeAll(words: string): boolean {
    const wanted = words.split(' ')
    if (!wanted.every((word, index) => this.#words[this.#at + index] === word)) return false
    this.#at += wanted.length
    return true
  }
}

/** Undefined where a word cannot be read: it is the reader's next. */
function readAlternatives(reader: WordReader): ConditionSpec['when'] | undefined {
  const alternatives: TestSpec[][] = []
  do {
    const tests: TestSpec[] = []
    do {
      const test = readTest(reader)
      if (!test) return undefined
      tests.push(test)
    } while (reader.takeAll('and'))
    alternatives.push(tests)
  } while (reader.takeAll('or'))
  return alternatives
}

/** The longest first: `is not there` begins with `is not`, which begins with `is`. */
const BY_LENGTH = (Object.entries(TEST_WORDS) as [TestSpec['test'], string][]).toSorted(
  ([, a], [, b]) => b.length - a.length,
)

function readTest(reader: WordReader): TestSpec | undefined {
  if (!PATH.test(reader.next ?? '')) return undefined
  const path = reader.take() as string
  for (const [test, words] of BY_LENGTH) {
    if (!reader.takeAll(words)) continue
    if (test === 'there' || test === 'not-there') return { path, test }
    const values = valuesOf(reader.next)
    if (!values) return undefined
    reader.take()
    return { path, test, values }
  }
  return undefined
}

function valuesOf(word: string | undefined): string[] | undefined {
  if (word === undefined || word === 'and' || word === 'or') return undefined
  const parts = word.match(/"(?:[^"\\]|\\.)*"|[^|"]+|["|]/g) ?? []
  const values = parts.filter((_, index) => index % 2 === 0).map(unquoted)
  const divided = parts.every((part, index) => (part === '|') === (index % 2 === 1))
  if (!divided || parts.length % 2 === 0) return undefined
  return values.every(value => value !== undefined) ? values : undefined
}

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return text
  try {
    return String(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** As `readConditions` reads them, one entry an element. */
export function writeConditions(conditions: readonly ConditionSpec[]): { [path: string]: string } {
  return Object.fromEntries(
    conditions.map(({ path, demand, when, otherwise }) => {
      const first = demand === 'mandatory' ? '' : `${demand} `
      const last = otherwise === 'allowed' ? '' : `, else ${otherwise}`
      return [path, `${first}when ${conditionText(when)}${last}`]
    }),
  )
}
