import { stringify } from 'yaml'
import type { CompositeSpec, FieldSpec, MessageSpec, OverlaySpec } from '../codec/spec.ts'
import { BER_DEFAULTS } from './composite.ts'
import { writeConditions } from './conditions.ts'
import type { Defaults, Place } from './line.ts'
import { writePaths } from './messages.ts'
import { DEFAULTS, writeBitmap, writeMti } from './sections.ts'
import { BCDS, BYTES, TEXTS } from './words.ts'
import { writeLine } from './write-line.ts'

type Yaml = string | readonly string[] | { [key: string]: Yaml }

/** The table, as text, that compiles to this spec. Its defaults are what most elements are. */
export function toTable(spec: MessageSpec): string {
  const defaults = usualDefaults(spec.fields)
  const { name, title, headerBytes, mti, bitmap, fields, overlays } = spec
  // Another alphabet would bring its own digits and lengths along, so then all of them are said.
  const said = Object.entries(defaults).filter(
    ([key, word]) => defaults.text !== 'ascii' || DEFAULTS[key as keyof Defaults] !== word,
  )
  const table: { [key: string]: Yaml } = {
    table: name,
    ...(title === name ? {} : { title }),
    ...(said.length > 0 ? { defaults: Object.fromEntries(said) } : {}),
    ...(headerBytes > 0 ? { header: bytesText(headerBytes) } : {}),
    mti: writeMti(mti),
    bitmap: writeBitmap(bitmap),
    fields: writeFields(fields, 'element', defaults),
    ...(overlays.length > 0 ? { messages: writeMessages(overlays, defaults) } : {}),
  }
  return stringify(table, { lineWidth: 0, schema: 'failsafe', aliasDuplicateObjects: false })
}

function writeFields(fields: readonly FieldSpec[], place: Place, defaults: Defaults): Yaml {
  // A Map, since an object would sort keys that look like numbers before all others.
  return new Map(
    fields.map(field => [field.id, writeField(field, place, defaults)]),
  ) as unknown as Yaml
}

function writeField(field: FieldSpec, place: Place, defaults: Defaults): Yaml {
  const is = writeLine(field, place, defaults)
  return field.children ? { is, ...writeComposite(field.children, defaults) } : is
}

function writeComposite(children: CompositeSpec, outer: Defaults): { [key: string]: Yaml } {
  switch (children.kind) {
    case 'positional': {
      const positional = writeFields(children.fields, 'element', outer)
      return { ...(children.shorter ? { shorter: 'allowed' } : {}), positional }
    }
    case 'bitmapped': {
      const { bitmap, headerBytes, fields } = children
      return {
        bitmap: writeBitmap(bitmap),
        ...(headerBytes > 0 ? { header: bytesText(headerBytes) } : {}),
        bitmapped: writeFields(fields, 'element', outer),
      }
    }
    case 'ber-tlv':
      return {
        unknown: children.unknown,
        'ber-tlv': writeFields(children.fields, 'value', BER_DEFAULTS),
      }
    case 'tagged':
      return writeTagged(children, outer)
    case 'datasets':
      return { unknown: children.unknown, datasets: writeDatasets(children, outer) }
  }
}

function writeTagged(
  children: CompositeSpec & { readonly kind: 'tagged' },
  outer: Defaults,
): { [key: string]: Yaml } {
  const { tag, length, order, lengthCountsTag, fields, unknown } = children
  const inclusive = length.form === 'prefix' && length.inclusive ? ' inclusive' : ''
  const counting = lengthCountsTag ? ', counting the tag' : ''
  return {
    tag: `${tag.encoding} ${tag.size}`,
    length: length.form === 'prefix' ? `${length.encoding} ${length.digits}${inclusive}` : 'ber',
    ...(order === 'length-tag' ? { order: `length first${counting}` } : {}),
    unknown,
    tagged: writeFields(fields, 'value', outer),
  }
}

function writeDatasets(
  { datasets }: CompositeSpec & { readonly kind: 'datasets' },
  outer: Defaults,
): Yaml {
  const entries = datasets.map(({ id, name, form, fields }) => {
    const tlv = form === 'tlv'
    const parts = writeFields(fields, tlv ? 'value' : 'element', tlv ? BER_DEFAULTS : outer)
    return [id, { ...(name === '' ? {} : { name }), [form]: parts }] as const
  })
  return new Map(entries) as unknown as Yaml
}

/** Each is named by its MTIs and what else it holds for, as far as that tells it from the others. */
function writeMessages(overlays: readonly OverlaySpec[], defaults: Defaults): Yaml {
  const messages = new Map<string, Yaml>()
  for (const { when, allowed, fields, conditions = [], ...paths } of overlays) {
    const mti = when.mti.join(' ')
    const condition = [
      mti,
      when.processing ? `processing ${when.processing.join(' ')}` : '',
      when.response ? `response ${when.response.join(' ')}` : '',
    ]
    const wanted = condition.filter(word => word !== '').join(' ')
    const key = messages.has(wanted) ? `${wanted} (${messages.size})` : wanted
    messages.set(key, {
      ...(key === mti ? {} : { mti }),
      ...(when.processing ? { processing: when.processing.join(' ') } : {}),
      ...(when.response ? { response: when.response.join(' ') } : {}),
      ...Object.fromEntries(
        Object.entries(paths)
          .filter(([, list]) => list.length > 0)
          .map(([key, list]) => [key, writePaths(list)]),
      ),
      ...(conditions.length > 0 ? { conditional: writeConditions(conditions) } : {}),
      ...(allowed.length > 0 ? { allowed: writeAllowed(allowed) } : {}),
      ...(fields.length > 0 ? { fields: writeFields(fields, 'element', defaults) } : {}),
    })
  }
  return messages as unknown as Yaml
}

function writeAllowed(allowed: OverlaySpec['allowed']): Yaml {
  const plain = (values: readonly string[]) =>
    values.length > 0 && values.every(value => /^[^\s,]+$/.test(value))
  return new Map(
    allowed.map(({ path, values }) => [path, plain(values) ? values.join(' ') : values]),
  ) as unknown as Yaml
}

function usualDefaults(fields: readonly FieldSpec[]): Defaults {
  const count = <Word extends string>(
    words: readonly Word[],
    usual: Word,
    of: (field: FieldSpec) => string | undefined,
  ): Word => {
    const times = new Map<string, number>()
    for (const field of fields) {
      const word = of(field)
      if (word !== undefined) times.set(word, (times.get(word) ?? 0) + 1)
    }
    return words.reduce(
      (best, word) => ((times.get(word) ?? 0) > (times.get(best) ?? 0) ? word : best),
      usual,
    )
  }
  const text = count(TEXTS, 'ascii', ({ data, content }) =>
    content === 'n' || content === 'z' ? undefined : data,
  )
  return {
    text,
    digits: count([...TEXTS, ...BCDS], text, ({ data, content }) =>
      content === 'n' || content === 'z' ? data : undefined,
    ),
    bytes: count(BYTES, 'binary', ({ data, content }) => (content === 'b' ? data : undefined)),
    lengths: count(
      ['ascii', 'ebcdic', 'bcd', 'binary', 'hex-ascii', 'hex-bcd'],
      text === 'ascii' ? 'ascii' : 'ebcdic',
      ({ length }) => (length.form === 'prefix' ? length.encoding : undefined),
    ),
  }
}

function bytesText(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`
}
