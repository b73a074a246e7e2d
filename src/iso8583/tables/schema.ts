import {
  BCDS,
  BYTES,
  CLASSES,
  CLASS_ALIASES,
  COMPOSITES,
  SECTIONS,
  TEXTS,
  type KeyForm,
} from './words.ts'

type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

/**
 * The schema by which editors complete and check tables, made of the same words as the checker. It
 * knows every key and the shape of a line; what a line says is left to the checker.
 */
export function tableSchema(): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'A dialect of ISO 8583',
    description: `Encodings: ${[...TEXTS, ...BCDS, ...BYTES].join(', ')}.`,
    ...section('table'),
    required: ['fields'],
    definitions: {
      line: { type: 'string', pattern: linePattern(), description: lineMeaning() },
      field: { anyOf: [ref('line'), ref('element'), { const: 'none' }] },
      element: {
        ...section('field'),
        anyOf: [{ required: ['is'] }, ...COMPOSITES.map(kind => ({ required: [kind] }))],
      },
      fields: { type: ['object', 'string'], additionalProperties: ref('field') },
      defaults: section('defaults'),
      dataset: section('dataset'),
      message: section('message'),
    },
  }
}

function section(name: keyof typeof SECTIONS): { readonly [key: string]: Json } {
  const properties = Object.entries(SECTIONS[name]).map(
    ([key, [description, form]]) => [key, { ...shapeOf(form), description }] as const,
  )
  return { type: 'object', properties: Object.fromEntries(properties), additionalProperties: false }
}

function shapeOf(form: KeyForm): { readonly [key: string]: Json } {
  if (typeof form !== 'string') return { enum: form }
  switch (form) {
    case 'text':
      return { type: ['string', 'number'] }
    case 'line':
      return { allOf: [ref('line')] }
    case 'fields':
      return { allOf: [ref('fields')] }
    case 'defaults':
      return { allOf: [ref('defaults')] }
    case 'datasets':
      return { type: 'object', additionalProperties: ref('dataset') }
    case 'messages':
      return { type: 'object', additionalProperties: ref('message') }
    case 'rules': {
      const rule = { type: 'string', pattern: '^((mandatory|forbidden) +)?when +' }
      return { type: ['string', 'number', 'object'], additionalProperties: rule }
    }
    case 'values': {
      const values = { type: ['string', 'number', 'array'] }
      return { type: 'object', additionalProperties: values }
    }
  }
}

function ref(name: string): { readonly [key: string]: Json } {
  return { $ref: `#/definitions/${name}` }
}

function linePattern(): string {
  const words = [...Object.keys(CLASSES), ...Object.keys(CLASS_ALIASES)]
  const classes = words
    .toSorted((a, b) => b.length - a.length)
    .map(word => word.replace('+', '\\+'))
  return `^(L{1,6}VAR +|(rest|ber) +|until +\\S+( +or +end)? +)?(${classes.join('|')}) *([0-9]*\\.\\.)? *[0-9]+`
}

function lineMeaning(): string {
  const classes = Object.entries(CLASSES).map(([word, meaning]) => `${word}: ${meaning}`)
  return `LLVAR class ..size name, options; or until 0x1c class ..size name. Classes: ${classes.join('; ')}.`
}
