import { checkSpec } from '../tables/check.ts'
import { compositeOf } from './jpos-composite.ts'
import { JposReader } from './jpos-reader.ts'
import { inOrder, type ImportResult } from './result.ts'
import { parseXml } from './xml.ts'

/**
 * Reads a GenericPackager description of jPOS. What such a file does not say (masks, names of the
 * dialect) is filled in as the standard has it; what a spec cannot say is in the notes.
 */
export function importJpos(path: string, text: string): ImportResult {
  const { root, error } = parseXml(text)
  if (error) return { problems: [{ path: `${path}:${error.line}`, text: error.text }] }
  if (root.name !== 'isopackager') {
    const found = `<${root.name.slice(0, 40)}> is not <isopackager>, so it is not a packager of jPOS`
    return { problems: [{ path: `${path}:${root.line}`, text: found }] }
  }
  const reader = new JposReader(path, compositeOf)
  const spec = reader.message(root)
  for (const { path, text } of checkSpec(spec)) reader.note(root, `element ${path}: ${text}`)
  return { spec, notes: inOrder(reader.notes) }
}
