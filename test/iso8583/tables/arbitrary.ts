import * as fc from 'fast-check'
import type {
  BitmapSpec,
  CompositeSpec,
  ConditionSpec,
  FieldSpec,
  LengthSpec,
  MessageSpec,
  OverlaySpec,
  TestSpec,
} from '../../../src/iso8583/codec/spec.ts'

/** Any spec that makes sense, for properties of all that reads and writes specs; cloned, since fast-check's records have no prototype. */
export function aMessageSpec(): fc.Arbitrary<MessageSpec> {
  return fc
    .record({
      name: fc.constantFrom('bank-a', 'x'),
      title: aName.map(name => name.trim() || 'a title'),
      headerBytes: fc.nat(12),
      mti: fc.record({
        encoding: fc.constantFrom('ascii', 'bcd', 'ebcdic-500', 'none' as const),
        versions: fc.subarray([0, 1, 2]),
      }),
      bitmap: fc.constantFrom<BitmapSpec>(
        { encoding: 'binary', bytes: 8, extension: 'auto', most: 2 },
        { encoding: 'hex-ebcdic', bytes: 8, extension: 'auto', most: 3 },
        { encoding: 'hex-ascii', bytes: 16, extension: 'always', most: 1 },
        { encoding: 'none', bytes: 8, extension: 'forbidden', most: 1 },
      ),
      fields: numbered(2, 128, 'element', 1),
    })
    .chain(spec =>
      fc
        .array(anOverlay(spec.fields), { maxLength: 2 })
        .map(overlays => structuredClone({ ...spec, overlays })),
    )
}

const aName = fc.oneof(
  fc.constantFrom(
    '',
    'amount',
    'amount, fee',
    'say "x": # y',
    '3-D',
    'bits of it',
    ' led ',
    'none',
  ),
  fc.string({ maxLength: 12 }),
)

type Place = 'element' | 'value'

const aShape = fc.constantFrom(
  ...(['a', 'an', 'ans', 'ns', 'anp', 's', 'as', 'h', 'any'] as const).flatMap(content =>
    (['ascii', 'ebcdic-037', 'ebcdic-1047'] as const).map(data => ({
      content,
      data,
      unit: 'characters' as const,
    })),
  ),
  ...(['n', 'z'] as const).flatMap(content =>
    (['bcd-left-0', 'bcd-right-0', 'bcd-right-f', 'bcd-left-f'] as const).flatMap(data =>
      (['digits', 'encoded', 'nibbles'] as const).map(unit => ({ content, data, unit })),
    ),
  ),
  { content: 'n', data: 'ascii', unit: 'characters' } as const,
  { content: 'n', data: 'zoned-ebcdic', unit: 'characters' } as const,
  { content: 'x+n', data: 'sign-bcd-right-0', unit: 'characters' } as const,
  { content: 'x+n', data: 'ascii', unit: 'characters' } as const,
  { content: 'b', data: 'binary', unit: 'bytes' } as const,
  { content: 'b', data: 'binary', unit: 'nibbles' } as const,
  { content: 'b', data: 'hex-ascii', unit: 'bytes' } as const,
  { content: 'any', data: 'binary', unit: 'bytes' } as const,
)

const aLength: fc.Arbitrary<LengthSpec> = fc.oneof(
  fc.constant({ form: 'fixed' as const }),
  fc.constant({ form: 'ber' as const }),
  fc.record({
    form: fc.constant('until' as const),
    terminator: fc.constantFrom('23', '1C', '2C', '0D0A', '5C', '41', '20', 'FF', '7E7E7E7E'),
    open: fc.boolean(),
  }),
  fc.record({
    form: fc.constant('prefix' as const),
    encoding: fc.constantFrom('ascii', 'ebcdic', 'bcd', 'binary', 'hex-ascii', 'hex-bcd' as const),
    digits: fc.integer({ min: 2, max: 6 }),
    inclusive: fc.boolean(),
  }),
)

function aField(id: string, place: Place, depth: number): fc.Arbitrary<FieldSpec> {
  return fc
    .record({
      name: aName.map(name => name.trim()),
      shape: aShape,
      length: place === 'value' ? fc.constant<LengthSpec>({ form: 'rest' }) : aLength,
      size: fc.integer({ min: 2, max: 90 }),
      least: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
      pad: fc.option(
        fc.record({
          side: fc.constantFrom('left' as const, 'right' as const),
          char: fc.constantFrom('0', ' ', 'F', ',', '"', '#', 'é'),
          trim: fc.boolean(),
        }),
        { nil: undefined },
      ),
      filled: fc.boolean(),
      mask: fc.option(fc.constantFrom('pan', 'hidden', 'track' as const), { nil: undefined }),
      children:
        depth > 0 ? fc.option(aComposite(depth - 1), { nil: undefined }) : fc.constant(undefined),
    })
    .map(({ name, shape, length, size: some, least, pad, filled, mask, children }) => {
      // How much may stand before a terminator is in whole bytes.
      const size = length.form === 'until' && shape.unit === 'nibbles' ? some + (some % 2) : some
      const fixed = length.form === 'fixed'
      const full = filled && length.form === 'prefix'
      const digits = shape.unit === 'digits' || shape.unit === 'nibbles'
      const sizeMin = fixed || (shape.content === 'x+n' && least === 1) ? undefined : least
      return {
        id,
        name,
        ...shape,
        length,
        size,
        ...(sizeMin === undefined ? {} : { sizeMin }),
        ...((fixed || full) && pad ? { pad } : {}),
        ...(full ? { filled: true } : {}),
        ...(mask ? { mask } : {}),
        ...(children && !digits ? { children } : {}),
      }
    })
}

function numbered(
  from: number,
  to: number,
  place: Place,
  depth: number,
): fc.Arbitrary<FieldSpec[]> {
  return fc
    .uniqueArray(fc.integer({ min: from, max: to }), { minLength: 1, maxLength: 6 })
    .chain(ids =>
      fc.tuple(...ids.toSorted((a, b) => a - b).map(id => aField(String(id), place, depth))),
    )
}

function tags(known: readonly string[]): fc.Arbitrary<FieldSpec[]> {
  return fc
    .subarray([...known])
    .chain(ids =>
      ids.length === 0 ? fc.constant([]) : fc.tuple(...ids.map(id => aField(id, 'value', 0))),
    )
}

function aComposite(depth: number): fc.Arbitrary<CompositeSpec> {
  const unknown = fc.constantFrom('keep' as const, 'error' as const)
  return fc.oneof<fc.Arbitrary<CompositeSpec>[]>(
    fc.record({
      kind: fc.constant('positional' as const),
      shorter: fc.boolean(),
      fields: numbered(0, 9, 'element', depth),
    }),
    fc.record({
      kind: fc.constant('bitmapped' as const),
      bitmap: fc.constant<BitmapSpec>({
        encoding: 'binary',
        bytes: 4,
        extension: 'always',
        most: 1,
      }),
      headerBytes: fc.nat(2),
      fields: numbered(1, 32, 'element', depth),
    }),
    fc.record({
      kind: fc.constant('ber-tlv' as const),
      fields: tags(['9F02', '5A', 'DF8101']),
      unknown,
    }),
    fc.record({
      kind: fc.constant('tagged' as const),
      tag: fc.constant({ encoding: 'ebcdic-037' as const, size: 2 }),
      length: fc.constantFrom<LengthSpec>(
        { form: 'ber' },
        { form: 'prefix', encoding: 'binary', digits: 1, inclusive: true },
      ),
      order: fc.constantFrom('tag-length' as const, 'length-tag' as const),
      lengthCountsTag: fc.constant(false),
      fields: tags(['01', 'PI', '  ']),
      unknown,
    }),
    fc.record({
      kind: fc.constant('datasets' as const),
      datasets: fc.tuple(
        fc.record({
          id: fc.constant('01-70'),
          name: aName.map(name => name.trim()),
          form: fc.constant('tlv' as const),
          fields: tags(['9F02']),
        }),
        fc.record({
          id: fc.constant('71'),
          name: fc.constant(''),
          form: fc.constant('dbm' as const),
          fields: numbered(1, 9, 'element', 0),
        }),
      ),
      unknown,
    }),
  )
}

const someValues = fc.array(
  fc.oneof(fc.constantFrom('00', 'and', '"', 'a b', '|', ''), fc.string()),
  {
    minLength: 1,
    maxLength: 3,
  },
)

function aTest(ids: readonly string[]): fc.Arbitrary<TestSpec> {
  const path = fc.constantFrom(...ids)
  return fc.oneof(
    fc.record({ path, test: fc.constantFrom('there' as const, 'not-there' as const) }),
    fc.record({
      path,
      test: fc.constantFrom('is', 'is-not', 'starts', 'starts-not' as const),
      values: someValues,
    }),
  )
}

function aCondition(path: string, ids: readonly string[]): fc.Arbitrary<ConditionSpec> {
  const [demand, otherwise] = [
    fc.constantFrom('mandatory' as const, 'forbidden' as const),
    fc.constantFrom('mandatory', 'forbidden', 'allowed' as const),
  ]
  const tests = fc.array(aTest(ids), { minLength: 1, maxLength: 3 })
  const when = fc.array(tests, { minLength: 1, maxLength: 3 })
  return fc
    .record({ path: fc.constant(path), demand, when, otherwise })
    .map(one => (one.demand === one.otherwise ? { ...one, otherwise: 'allowed' } : one))
}

/** Some elements have a rule of their own, others are always wanted; none is both. */
function anOverlay(fields: readonly FieldSpec[]): fc.Arbitrary<OverlaySpec> {
  const ids = fields.map(({ id }) => id)
  return fc
    .subarray(ids)
    .chain(ruled =>
      fc.tuple(plainOverlay(fields, ids, ruled), ...ruled.map(id => aCondition(id, ids))),
    )
    .map(([overlay, ...conditions]) =>
      conditions.length === 0 ? overlay : { ...overlay, conditional: [], conditions },
    )
}

function plainOverlay(
  fields: readonly FieldSpec[],
  ids: readonly string[],
  ruled: readonly string[],
): fc.Arbitrary<OverlaySpec> {
  return fc.record({
    when: fc.record(
      {
        mti: fc.constantFrom(['0200'], ['02.0', '0420']),
        processing: fc.constantFrom(['00'], ['38', '000000']),
        response: fc.constant(['00', 'Z3']),
      },
      { requiredKeys: ['mti'] },
    ),
    mandatory: fc.subarray(ids.filter(id => !ruled.includes(id))),
    conditional: fc.subarray([...ids]),
    forbidden: fc.constant([]),
    echoed: fc.subarray([...ids]),
    allowed: fc.constantFrom([], [{ path: ids[0] ?? '2', values: ['1', 'a b', 'c,d'] }]),
    fields: fc.constantFrom<FieldSpec[]>([], [...fields].slice(0, 1)),
  })
}
