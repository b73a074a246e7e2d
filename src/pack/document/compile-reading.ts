import type { Check } from '../check.ts'
import type { MapTree, TextTree } from '../source.ts'
import type { ContentOptions } from './contents.ts'
import { DOC_LIMITS, type DocLimits } from './node.ts'
import type { RpcOptions } from './xml-rpc.ts'
import type { Namespaces } from './xml-reader.ts'

/** How documents of a dialect are read, whatever is in them. */
export type Reading = Pick<ContentOptions, 'limits' | 'bom' | 'types'> & {
  readonly unknown: 'kept' | 'refused'
  readonly namespaces: Namespaces
  readonly prefixes: ReadonlySet<string> | undefined
}

type Sections = {
  map(name: 'reading' | 'namespaces' | 'xml-rpc'): MapTree | undefined
  text(name: 'content'): TextTree | undefined
}

/**
 * `reading:` and `namespaces:`.
 *
 *     reading: { unknown: refused, bom: skipped, types: [text/html], bytesMax: 65536, depthMax: 8 }
 *     namespaces: { bo: http://service.example/core/bo, default: http://service.example/core }
 */
export function compileReading(check: Check, sections: Sections): Reading {
  const map = sections.map('reading')
  if (map) check.only(map, ['unknown', 'bom', 'types', 'bytesMax', 'depthMax'])
  const entry = (key: string) => map?.entries.get(key)?.value
  const [unknown, bom, types] = [entry('unknown'), entry('bom'), entry('types')]
  const namespaces = compileNamespaces(check, sections.map('namespaces'))
  const content = sections.text('content')?.text ?? ''
  const isXml = /^(xml|soap)/.test(content)
  // The envelope declares its own prefix, and attributes of SOAP may stand in what it holds.
  const declared = content.startsWith('soap') ? ['soap'] : []
  return {
    unknown: (unknown && check.oneOf(unknown, 'unknown', ['kept', 'refused'])) ?? 'kept',
    bom: (bom && check.oneOf(bom, 'bom', ['refused', 'skipped'])) ?? 'refused',
    types:
      (types &&
        check.list(types, 'types')?.items.flatMap(one => check.text(one, 'a type')?.text ?? [])) ??
      [],
    limits: compileLimits(check, map),
    namespaces,
    prefixes: isXml ? new Set([...declared, ...namespaces.values()]) : undefined,
  }
}

function compileLimits(check: Check, map: MapTree | undefined): DocLimits {
  const bytes = map?.entries.get('bytesMax')
  const depth = map?.entries.get('depthMax')
  return {
    ...DOC_LIMITS,
    bytesMax:
      (bytes && check.integer(bytes.value, 'bytesMax', 64, 16_777_216)) ?? DOC_LIMITS.bytesMax,
    depthMax: (depth && check.integer(depth.value, 'depthMax', 1, 64)) ?? DOC_LIMITS.depthMax,
  }
}

const RESERVED = ['soap', 'xsi', 'wsse', 'wsu', 'xml']

function compileNamespaces(check: Check, map: MapTree | undefined): Namespaces {
  const namespaces = new Map<string, string>()
  for (const [prefix, { at, value }] of map?.entries ?? []) {
    const uri = check.text(value, prefix)?.text
    if (!/^[A-Za-z][\w-]*$/.test(prefix) || RESERVED.includes(prefix)) {
      check.wrong(at, `"${prefix}" cannot be a prefix; ${RESERVED.join(', ')} are taken`)
    } else if (uri !== undefined) {
      if (namespaces.has(uri)) check.wrong(at, `"${uri}" has two prefixes`)
      namespaces.set(uri, prefix === 'default' ? '' : prefix)
    }
  }
  return namespaces
}

/** `xml-rpc: { method: method, params: positional }` */
export function rpcOptions(check: Check, sections: Sections): RpcOptions {
  const map = sections.map('xml-rpc')
  if (map) check.only(map, ['method', 'params'])
  const method = map?.entries.get('method')
  const params = map?.entries.get('params')
  return {
    method: (method && check.text(method.value, 'method')?.text) ?? 'method',
    params: (params && check.oneOf(params.value, 'params', ['positional', 'struct'])) ?? 'struct',
  }
}
