import fc from 'fast-check'
import { test } from 'tap'
import { JsonBytes } from '../../../src/pack/document/json-bytes.ts'
import { readJson } from '../../../src/pack/document/json-reader.ts'
import { KnownKeys } from '../../../src/pack/document/known-keys.ts'
import { DOC_LIMITS, type DocNode } from '../../../src/pack/document/node.ts'

/** Both shortcuts of JSON, held against JSON.stringify: they must not be seen. */

const texts = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ minLength: 900, maxLength: 3000 }),
  fc.constantFrom(
    '',
    '"',
    '\\',
    '\u0000',
    '\u001f',
    '\u007f',
    'é',
    '€',
    '😀',
    '\ud800',
    'a\udc00b',
  ),
)

test('texts are written as JSON.stringify writes them, whatever stands before them', async t => {
  const out = new JsonBytes()
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 6 }), many => {
      out.clear()
      for (const text of many) out.quoted(text)
      return out.written.toString('utf8') === many.map(text => JSON.stringify(text)).join('')
    }),
  )
  out.clear()
  out.digits('-12.50')
  out.digits('12é')
  out.bytes(Buffer.from('"key":'))
  out.bytes(Buffer.alloc(5000, 0x20))
  t.equal(out.written.toString('utf8').trimEnd(), '-12.5012é"key":')
  t.equal(out.written.length, 6 + 4 + 6 + 5000)
})

const KEYS = ['a', 'b', 'c', 'd', 'e e', 'é', '"', '\\', '__proto__']
const keys = fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 6 })
// Half a pair of surrogates is refused.
const leaf = fc.oneof(
  texts.map(text => text.toWellFormed()),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
)

/** Objects whose keys are few, so that documents resemble one another and differ anywhere. */
const documents = fc.letrec<{ node: unknown; map: unknown }>(tie => ({
  node: fc.oneof({ depthSize: 'small' }, leaf, tie('map'), fc.array(tie('node'), { maxLength: 3 })),
  map: keys.chain(names =>
    fc
      .tuple(...names.map(() => tie('node')))
      .map(values => Object.fromEntries(names.map((name, at) => [name, values[at]]))),
  ),
})).map

test('what stood in documents before changes nothing in the next one', async t => {
  fc.assert(
    fc.property(
      fc.array(documents, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(undefined, 1),
      (many, indent) => {
        const known = new KnownKeys()
        // Twice, so that each is read with what all of them have left.
        return [...many, ...many].every(document => {
          const text = JSON.stringify(document, undefined, indent)
          const read = readJson({ text, base: 0, limits: DOC_LIMITS, latin1: false }, known)
          // Not JSON.parse: V8 of Node 24 takes a key of one escape for another one that it knows.
          return JSON.stringify(plain(read)) === JSON.stringify(document)
        })
      },
    ),
    { numRuns: 300 },
  )
  const known = new KnownKeys()
  const read = (text: string): DocNode =>
    readJson({ text, base: 0, limits: DOC_LIMITS, latin1: false }, known)
  for (const text of ['{"a":1,"b":2}', '{"a":1,"c":2}', '{"a":1}', '{"a":1,"b":2,"d":3}'])
    t.same(plain(read(text)), JSON.parse(text), text)
  t.throws(() => read('{"a":1,"a":2}'), { code: 'DOCUMENT_SYNTAX' })
  t.throws(() => read('{"a":1,"b":2,"a":3}'), { code: 'DOCUMENT_SYNTAX' })
  t.throws(() => read('{"a":1,"c":2,"c":3}'), { code: 'DOCUMENT_SYNTAX' })
})

function plain({ tag, text, names, items }: DocNode): unknown {
  if (tag === 'list') return items.map(plain)
  if (tag === 'map')
    return Object.fromEntries(names.map((name, at) => [name, plain(items[at] as DocNode)]))
  return tag === 'text' ? text : JSON.parse(text)
}
