/**
 * The fuzzer is told of every comparison with a literal, by a native call that takes longer than all
 * else. It needs a hint now and then, so it is told of one in 64; which branches were taken it
 * counts in full. Imported before the targets, and without effect where nobody fuzzes.
 */
type Compare = (a: unknown, b: unknown, operator: string, id: number) => boolean
type Tracer = {
  traceStrCmp: Compare
  traceNumberCmp: Compare
  traceAndReturn: <T>(a: unknown, b: T, id: number) => T
}

const EVERY = 64
const { Fuzzer } = globalThis as { Fuzzer?: { readonly tracer: Tracer } }
if (Fuzzer) sparsely(Fuzzer.tracer)

function sparsely(tracer: Tracer): void {
  const { traceStrCmp, traceNumberCmp, traceAndReturn } = tracer
  let left = EVERY
  const isTold = (): boolean => {
    if (--left > 0) return false
    left = EVERY
    return true
  }
  tracer.traceStrCmp = (a, b, operator, id) =>
    isTold() ? traceStrCmp(a, b, operator, id) : compare(a, b, operator)
  tracer.traceNumberCmp = (a, b, operator, id) =>
    isTold() ? traceNumberCmp(a, b, operator, id) : compare(a, b, operator)
  tracer.traceAndReturn = (a, b, id) => (isTold() ? traceAndReturn(a, b, id) : b)
}

function compare(a: unknown, b: unknown, operator: string): boolean {
  switch (operator) {
    case '===':
      return a === b
    case '!==':
      return a !== b
    case '<':
      return (a as number) < (b as number)
    case '>':
      return (a as number) > (b as number)
    case '<=':
      return (a as number) <= (b as number)
    case '>=':
      return (a as number) >= (b as number)
    default:
      throw new Error(`the comparison ${operator} is not used here`)
  }
}
