import sax, { type QualifiedTag, type Tag } from 'sax'
import { IMPORT_LIMITS, lineFinder } from './result.ts'

export type XmlElement = {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  readonly line: number
}

export type XmlResult =
  | { readonly root: XmlElement; readonly error?: undefined }
  | { readonly root?: undefined; readonly error: { readonly line: number; readonly text: string } }

/**
 * The elements of an XML text with their lines. DOCTYPEs are passed over: nothing they name is
 * fetched, and an entity that they declare is an error where it is used, so nothing can grow.
 */
export function parseXml(text: string): XmlResult {
  const { textCharsMax, depthMax, fieldsMax } = IMPORT_LIMITS
  if (text.length > textCharsMax) {
    return { error: { line: 1, text: `it is longer than ${textCharsMax} characters` } }
  }
  const lineAt = lineFinder(text)
  const parser = sax.parser(true, { position: true, trim: true })
  const open: (XmlElement & { children: XmlElement[] })[] = []
  let root: XmlElement | undefined
  let error: { line: number; text: string } | undefined
  let count = 0
  const fail = (line: number, text: string) => {
    error ??= { line, text }
  }
  const opened = ({ name, attributes }: Tag | QualifiedTag) => {
    const line = lineAt(parser.startTagPosition - 1)
    if (error) return
    if (++count > fieldsMax) return fail(line, `there are more than ${fieldsMax} elements`)
    if (open.length >= depthMax) return fail(line, `it is nested deeper than ${depthMax}`)
    const values = Object.entries(attributes as Record<string, string>)
    const element = { name, attributes: new Map(values), children: [], line }
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  }
  Object.assign(parser, {
    onopentag: opened,
    onclosetag() {
      if (!error) open.pop()
    },
    onerror({ message }: Error) {
      fail(parser.line + 1, (message.split('\n')[0] ?? '').toLowerCase())
      Object.assign(parser, { error: null })
    },
  })
  // A piece at a time, so that a text that is wrong at its start is not read to its end.
  for (let at = 0; at < text.length; at += PIECE) {
    if (error) break
    parser.write(text.slice(at, at + PIECE))
  }
  if (!error) parser.close()
  if (error) return { error }
  return root ? { root } : { error: { line: 1, text: 'it has no element' } }
}

const PIECE = 16_384
