import { readFileSync } from 'node:fs'

/**
 * The `ts` blocks of a page as one program. A line that ends with `// => value` is an expression whose
 * value is compared, one with `// throws CODE` must throw it; `node program.ts` prints what differs.
 */
export function programOf(page: string): string {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```ts\n([^]*?)^```$/gm)]
  const lines = blocks.flatMap(([, text = '']) => text.trimEnd().split('\n'))
  return `${HEAD}${lines.map(checked).join('\n')}\nconsole.log(JSON.stringify(differences))\n`
}

const HEAD = `import { inspect } from 'node:util'
const differences: string[] = []
const compare = (source: string, value: unknown, expected: string): void => {
  const told = inspect(value, { breakLength: Infinity, depth: 8 }).replace(/\\n\\s*/g, ' ')
  if (told !== expected) differences.push(source + ' gives ' + told + ' and not ' + expected)
}
const throws = (source: string, run: () => unknown, code: string): void => {
  try {
    run()
  } catch (error) {
    if ((error as { code?: string }).code === code) return
    differences.push(source + ' throws ' + String(error))
    return
  }
  differences.push(source + ' throws nothing')
}
`

function checked(line: string): string {
  const [, value, expected] = /^(\S.*?) \/\/ => (.+)$/.exec(line) ?? []
  if (value && expected)
    return `compare(${JSON.stringify(value)}, ${value}, ${JSON.stringify(expected)})`
  const [, thrown, code] = /^(\S.*?) \/\/ throws (\S+)$/.exec(line) ?? []
  if (thrown && code) return `throws(${JSON.stringify(thrown)}, () => ${thrown}, '${code}')`
  // Anything else would look as if it were compared, and is not.
  if (/\/\/ (?:=>|throws)/.test(line)) throw new Error(`this line is not one expression: ${line}`)
  return line
}
