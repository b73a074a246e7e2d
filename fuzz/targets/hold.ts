/** What must always be so; the fuzzer reports what throws. */
export function hold(right: boolean, text: string): void {
  if (!right) throw new Error(`it does not hold: ${text}`)
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
