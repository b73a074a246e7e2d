import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One file of the project, as the tidy rules look at it. */
export type Source = {
  /** `src/link/link.ts` */
  readonly path: string
  /** `link`; empty outside of src/. */
  readonly folder: string
  readonly text: string
  /** Without comments; what stands in strings is still there. */
  readonly bare: string
  /** Without comments and without what stands in strings. */
  readonly code: string
  readonly imports: readonly Import[]
}

export type Import = { readonly from: string; readonly typeOnly: boolean; readonly line: number }

export function readSources(root: string): Source[] {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.ts'))
    .map(path => join(root, path))
    .toSorted()
  return paths.map(path => toSource(path, readFileSync(path, 'utf8')))
}

export function toSource(path: string, text: string): Source {
  const { bare, code } = strip(text)
  const folder = /^src\/([^/]+)\//.exec(path)?.[1] ?? ''
  return { path, folder, text, bare, code, imports: readImports(bare) }
}

const IMPORT =
  /^(?:import|export)\b(?: (type)\b)?[^'";]*?\bfrom\s*['"]([^'"]+)['"]|^import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm

function readImports(bare: string): Import[] {
  return [...bare.matchAll(IMPORT)].map(match => ({
    from: match[2] ?? match[3] ?? match[4] ?? '',
    typeOnly: match[1] === 'type',
    line: lineOf(bare, match.index),
  }))
}

export function lineOf(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}

/** Where a slash begins a regular expression and not a division. */
const BEFORE_REGEXP = /(?:^|[(,=:[!&|?{};+\-*%<>~]|\b(?:return|typeof|case|in|of|do|else))\s*$/

/**
 * Blanks comments, and strings too, keeping every line where it is. Knows as much of the language
 * as it takes to tell these apart.
 */
function strip(text: string): { bare: string; code: string } {
  let bare = ''
  let code = ''
  const keep = (part: string): void => {
    bare += part
    code += part
  }
  const blank = (part: string): string => part.replace(/[^\n]/g, ' ')
  /** Open braces of each template literal that we are inside of. */
  const templates: number[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    if (found !== undefined) at += found.length
    return found
  }
  const string = (part: string): void => {
    bare += part
    code += part.length < 2 ? part : part[0] + blank(part.slice(1, -1)) + part.at(-1)
  }
  while (at < text.length) {
    const comment = take(/\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y)
    if (comment !== undefined) {
      keep(blank(comment))
      continue
    }
    const quoted = take(/'(?:\\.|[^'\\\n])*'?|"(?:\\.|[^"\\\n])*"?/y)
    if (quoted !== undefined) {
      string(quoted)
      continue
    }
    if (BEFORE_REGEXP.test(code.slice(-20))) {
      const expression = take(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/y)
      if (expression !== undefined) {
        string(expression)
        continue
      }
    }
    const char = text[at] as string
    const inTemplate = templates.at(-1)
    if (char === '`' || (char === '}' && inTemplate === 0)) {
      if (char === '}') templates.pop()
      const part = take(/[`}](?:\\[\s\S]|\$(?!\{)|[^`\\$])*(?:`|\$\{|$)/y) as string
      string(part)
      if (part.endsWith('${')) templates.push(0)
      continue
    }
    if (inTemplate !== undefined && (char === '{' || char === '}'))
      templates[templates.length - 1] = inTemplate + (char === '{' ? 1 : -1)
    keep(char)
    at++
  }
  return { bare, code }
}
