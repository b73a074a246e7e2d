const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * JSON without the white space between its tokens, from the sender's own bytes: the order of the
 * keys, the text of numbers and the escapes in strings stay as they are, because the signature is
 * over them. Parsing and writing again would change all three.
 */
export function minify(json: Uint8Array): Uint8Array {
  let firstBlank = 0
  while (firstBlank < json.length && !isBlank(json[firstBlank] as number)) firstBlank++
  if (firstBlank === json.length) return json
  const out = Buffer.allocUnsafe(json.length)
  let length = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number
    if (inString) {
      if (byte === BACKSLASH && at + 1 < json.length) out[length++] = json[at++] as number
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (isBlank(byte)) continue
    out[length++] = json[at] as number
  }
  return out.subarray(0, length)
}

/** RFC 8259, section 2: space, tab, line feed, carriage return. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
