import { isDeepStrictEqual } from 'node:util'
import { isNadiError } from '#base'
import { compileSpec } from '../../src/iso8583/codec/compile.ts'
import type { MessageSpec } from '../../src/iso8583/codec/spec.ts'
import { exportMoov, importJpos, importMoov } from '../../src/iso8583/import/index.ts'
import { checkSpec, compileTable, toTable } from '../../src/iso8583/tables/index.ts'
import { TABLES } from './dialects.ts'
import { hold } from './hold.ts'

/** A packager file of jPOS: a spec or a list of problems, and what it gives can be written. */
export function jpos(data: Uint8Array): void {
  const { spec, problems } = importJpos('x.xml', textOf(data))
  hold((spec === undefined) !== (problems === undefined), 'a spec or problems')
  if (spec) written(spec)
}

export function moov(data: Uint8Array): void {
  const { spec, problems } = importMoov('x.json', textOf(data))
  hold((spec === undefined) !== (problems === undefined), 'a spec or problems')
  if (!spec) return
  written(spec)
  const back = importMoov('y.json', exportMoov(spec).text)
  hold(back.spec !== undefined, 'what is exported can be imported')
}

/** A table of ours, which may extend the shipped ones. */
export function table(data: Uint8Array): void {
  const { spec, problems } = compileTable([{ path: 'x.yaml', text: textOf(data) }, ...TABLES])
  hold((spec === undefined) !== (problems === undefined), 'a spec or problems')
  for (const { path, text } of problems ?? [])
    hold(path !== '' && text !== '', 'problems say where')
  if (!spec) return
  const again = compileTable([{ path: 'x.yaml', text: toTable(spec) }])
  hold(isDeepStrictEqual(again.spec, spec), 'a table that is written reads back')
  compiled(spec)
}

function written(spec: MessageSpec): void {
  const text = toTable(spec)
  const again = compileTable([{ path: 'x.yaml', text }])
  if (checkSpec(spec).length === 0) hold(again.spec !== undefined, 'an imported spec is a table')
  compiled(spec)
}

function compiled(spec: MessageSpec): void {
  try {
    compileSpec(spec).parsePartly(new Uint8Array(0))
  } catch (error) {
    if (!isNadiError(error)) throw error
  }
}

function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString('utf8')
}
