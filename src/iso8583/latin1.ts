/**
 * One byte a character, both ways. These two are Node's fastest way between bytes and strings;
 * they are public but left out of its type declarations.
 */
type Latin1 = {
  latin1Slice(start: number, end: number): string
  latin1Write(text: string, at: number, length: number): number
}

export function readLatin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return (buffer as unknown as Latin1).latin1Slice(0, bytes.length)
}

export function writeLatin1(buffer: Buffer, text: string, at: number): void {
  ;(buffer as unknown as Latin1).latin1Write(text, at, text.length)
}
