import { BodyMapper } from './body.ts'
import { choose, type Chosen, remarkMissing } from './choose.ts'
import { codesOf } from './codes.ts'
import {
  type Described,
  IMPORT_LIMITS,
  type ImportOptions,
  type PackDraft,
  type Remark,
} from './model.ts'
import { writePack } from './pack-text.ts'
import { writeReadme } from './readme.ts'

/** The draft of a pack for what was described. Throws DOCUMENT_SYNTAX when nothing can be told. */
export function writeDraft(described: Described, options: ImportOptions): PackDraft {
  const { notes } = described
  const mapper = new BodyMapper(notes)
  const chosen = choose(described, options).map(([kind, operation]): Chosen => ({
    kind,
    operation,
    request: mapper.body(operation, kind, true),
    response: mapper.body(operation, kind, false),
    headers: mapper.headers(operation, kind),
  }))
  const soapHeader = mapper.soapHeader(described.soapHeader)
  const codes = codesOf(chosen)
  remarkMissing(notes, chosen)
  const kinds = chosen.map(({ kind }) => kind)
  return {
    pack: writePack(described, options, { chosen, codes, soapHeader }),
    readme: writeReadme(described, options.product, kinds),
    kinds,
    answered: chosen.flatMap(({ kind, response }) => (response.outcome ? [kind] : [])),
    approvedCode: codes.approved,
    refusedCode: codes.refused,
    unknownCode: codes.unknown,
    remarks: inOrder(notes.remarks),
  }
}

/** In the order of the file, and no more than anyone reads. */
function inOrder(remarks: readonly Remark[]): Remark[] {
  const lineOf = ({ path }: Remark) => Number(path.slice(path.lastIndexOf(':') + 1))
  const once = new Map(remarks.map(one => [`${one.path} ${one.text}`, one]))
  return [...once.values()]
    .toSorted((a, b) => lineOf(a) - lineOf(b))
    .slice(0, IMPORT_LIMITS.remarksMax)
}
