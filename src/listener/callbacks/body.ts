import type { IncomingMessage } from 'node:http'

export const TOO_LONG = Symbol('too long')

/** The body as it came. Undefined when the caller went away before its end. */
export function bodyOf(
  request: IncomingMessage,
  bytesMax: number,
): Promise<Buffer | typeof TOO_LONG | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve(TOO_LONG)
  const parts: Buffer[] = []
  let bytes = 0
  return new Promise(resolve => {
    request.on('data', (part: Buffer) => {
      bytes += part.length
      if (bytes > bytesMax) {
        request.pause()
        return resolve(TOO_LONG)
      }
      parts.push(part)
    })
    request.on('end', () => resolve(Buffer.concat(parts, bytes)))
    request.on('error', () => resolve(undefined))
    request.on('close', () => resolve(undefined))
  })
}
