import { ERRORS, type NadiError } from '#base'
import { type Fault, isPath, type Path } from '#message'

/** What is wrong, without what stood there: `the value …; expected 19 digits`. */
export function faultText({ code, expected }: NadiError): string {
  const { text } = ERRORS[code]
  return expected === undefined ? text : `${text}; expected ${expected}`
}

/** The part of the message that a dialect could not say; undefined where its error names none. */
export function faultOf(error: NadiError): Fault | undefined {
  const { code, expected = '' } = error
  if (code === 'PACK_MISSING_FIELD' && isPath(expected))
    return { path: expected, text: ERRORS[code].text }
  const path = pathIn(error.path ?? '')
  return path && { path, text: faultText(error) }
}

/** A dialect's own places stand before it: `de48.CD.qr.customerName`. */
function pathIn(text: string): Path | undefined {
  for (let at = 0; at >= 0; at = text.indexOf('.', at) + 1 || -1) {
    const path = text.slice(at)
    if (isPath(path)) return path
  }
  return undefined
}
