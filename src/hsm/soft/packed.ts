import { fromLatin1, latin1 } from '#base'
import type { Operation } from './keeper.ts'

/**
 * Requests of one turn of the event loop go over in one list, and so come the answers:
 *
 *     id, operation, how many values, value, value, …        id, done?, answer or refusal
 *
 * The requests of every payment (MACs, PIN translation) are taken apart, and bytes go as text of one
 * character a byte: cloning objects and arrays of bytes costs several times what cloning their
 * parts as texts and numbers costs. All others go as the arguments that they are.
 */
export type Packed = readonly unknown[]

const PARTS: { readonly [O in Operation]?: readonly string[] } = {
  generateMac: ['key', 'algorithm', 'padding', 'macBytes', 'data', 'ksn', 'direction', 'derived'],
  verifyMac: [
    'key',
    'algorithm',
    'padding',
    'macBytes',
    'data',
    'mac',
    'ksn',
    'direction',
    'derived',
  ],
  translatePin: ['key', 'pinBlock', 'format', 'pan', 'intoKey', 'intoFormat', 'ksn', 'derived'],
}

/** Parts that are bytes, and operations whose answer is. */
const BYTES: ReadonlySet<string> = new Set(['data', 'mac'])
const ANSWERS_BYTES: ReadonlySet<Operation> = new Set(['generateMac'])

export function packRequest(
  into: unknown[],
  id: number,
  operation: Operation,
  args: readonly unknown[],
): void {
  const parts = PARTS[operation]
  if (!parts) return void into.push(id, operation, args.length, ...args)
  const request = args[0] as Readonly<Record<string, unknown>>
  into.push(id, operation, parts.length)
  for (const part of parts) {
    const value = request[part]
    into.push(value instanceof Uint8Array ? latin1(value) : value)
  }
}

/** Calls back for each request of a list. */
export function unpackRequests(
  packed: Packed,
  each: (id: number, operation: Operation, args: readonly unknown[]) => void,
): void {
  for (let at = 0; at < packed.length;) {
    const [id, operation, count] = packed.slice(at, at + 3) as [number, Operation, number]
    const first = at + 3
    at = first + count
    const values = packed.slice(first, at)
    const parts = PARTS[operation]
    each(id, operation, parts ? [requestOf(parts, values)] : values)
  }
}

export function packAnswer(
  into: unknown[],
  id: number,
  operation: Operation,
  answer: unknown,
): void {
  into.push(id, true, ANSWERS_BYTES.has(operation) ? latin1(answer as Uint8Array) : answer)
}

/** An answer as the operation gives it. */
export function answerOf(operation: Operation, packed: unknown): unknown {
  return ANSWERS_BYTES.has(operation) ? fromLatin1(packed as string) : packed
}

function requestOf(parts: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const request: Record<string, unknown> = {}
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as string
    const value = values[i]
    if (value === undefined) continue
    request[part] = BYTES.has(part) ? fromLatin1(value as string) : value
  }
  return request
}
