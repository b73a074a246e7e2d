import type { FieldMask, FieldSpec, MessageSpec } from '../codec/spec.ts'
import type { Problem } from '../tables/tree.ts'

/** Something that an import could not say, or said otherwise: `bank.xml:12`, and what. */
export type Note = Problem

export type ImportResult =
  | { readonly spec: MessageSpec; readonly notes: readonly Note[]; readonly problems?: undefined }
  | { readonly spec?: undefined; readonly notes?: undefined; readonly problems: readonly Problem[] }

export const IMPORT_LIMITS = {
  textCharsMax: 4_000_000,
  depthMax: 16,
  fieldsMax: 20_000,
  notesMax: 1_000,
} as const

/** What the elements of all versions that hold card data show, where the imported file says nothing. */
const USUAL_MASKS: Readonly<Record<string, FieldMask>> = {
  2: 'pan',
  34: 'pan',
  35: 'track',
  36: 'track',
  45: 'track',
  52: 'pin',
}

/** In the order of the file, and no more than anyone reads. */
export function inOrder(notes: readonly Note[]): Note[] {
  const lineOf = ({ path }: Note) => Number(path.slice(path.lastIndexOf(':') + 1))
  return notes.toSorted((a, b) => lineOf(a) - lineOf(b)).slice(0, IMPORT_LIMITS.notesMax)
}

/** An imported element of the message itself with what the standard says of it in any dialect. */
export function asElement(field: FieldSpec): FieldSpec {
  const mask = field.children ? undefined : USUAL_MASKS[field.id]
  const track = (field.id === '35' || field.id === '36') && field.content === 'n'
  return {
    ...field,
    ...(track ? { content: 'z' as const } : {}),
    ...(mask ? { mask } : {}),
  }
}

/** Lines of a text by offset. */
export function lineFinder(text: string): (offset: number) => number {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return offset => {
    let [low, high] = [0, starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return low + 1
  }
}

/** A name on one line, without the spaces that files are indented with. */
export function tidyName(text: string): string {
  return text.replace(BLANKS, ' ').trim().slice(0, 200).trim()
}

/** With control characters, which are no part of a name. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const BLANKS = /[\s\u0000-\u001f\u007f-\u009f]+/g
