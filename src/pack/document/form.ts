import { DocNode, scalar, wrongAt, type Source } from './node.ts'

/**
 * `application/x-www-form-urlencoded` (WHATWG URL, section 5) and query strings: one level, no types,
 * no name twice.
 */
export function readForm(source: Source): DocNode {
  const { text, limits } = source
  const names: string[] = []
  const items: DocNode[] = []
  let at = 0
  for (const pair of text === '' ? [] : text.split('&')) {
    const equals = pair.indexOf('=')
    const name = decode(source, equals < 0 ? pair : pair.slice(0, equals), at)
    const value = equals < 0 ? '' : decode(source, pair.slice(equals + 1), at)
    if (names.includes(name)) {
      throw wrongAt(source, 'DOCUMENT_SYNTAX', at, { path: 'body', expected: 'each name once' })
    }
    if (names.length >= Math.min(limits.nodesMax, FIELDS_MAX)) {
      const expected = `at most ${FIELDS_MAX} fields`
      throw wrongAt(source, 'DOCUMENT_LIMIT', at, { path: 'body', expected })
    }
    names.push(name)
    items.push(scalar('plain', value, at + equals + 1))
    at += pair.length + 1
  }
  return new DocNode('map', '', names, items, 0)
}

const FIELDS_MAX = 200

function decode(source: Source, text: string, at: number): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw wrongAt(source, 'DOCUMENT_SYNTAX', at, {
      path: 'body',
      expected: 'percent-encoded UTF-8',
    })
  }
}

export function encodeForm(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%20', '+')
    .replace(/[!'()~]/g, hexOf)
}

function hexOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
