/**
 * What reading and writing one message of a pack over HTTP costs, beside the bare library on the same
 * text in the same run: `node --conditions=source bench/pack-document.ts [--json]`.
 *
 * `read` is frame to message and `write` message to frame, head and all; `head` is what of the two is
 * HTTP alone. `library` is JSON.parse and JSON.stringify of the body, or sax's parse into elements and
 * the writing of them again. All in turns, the least of 15: what a busy machine adds is nobody's cost.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import sax from 'sax'
import { Secret } from '#base'
import { readHttpResponse, writeHttpResponse } from '#http'
import { readHttpSamples, type HttpPack, type HttpSample } from '#pack'
import { loadPacks } from '../src/config/packs.ts'
import { SOAP_FRAME, SOAP_MESSAGE, soapPack } from './pack-document-soap.ts'

const WANTED_RATIO = 3
const RUNS = 15
const RUN_MS = 100

/** Keeps the results alive, so that nothing is left out as useless. */
let sink: unknown

type Row = {
  readonly name: string
  readonly bytes: number
  readonly readNs: number
  readonly writeNs: number
  readonly headNs: number
  readonly libraryNs: number
  /** (read + write - head) / library: the document only. */
  readonly ratio: number
  /** (read + write) / library. */
  readonly frameRatio: number
}

export type PackDocumentResult = {
  readonly packDocument: readonly Row[]
  readonly wantedBelow: number
}

const protocols = fileURLToPath(new URL('../protocols', import.meta.url))

if (process.argv[1] === import.meta.filename) {
  const result = measurePacks()
  if (sink === undefined) throw new Error('nothing was measured')
  if (process.argv.includes('--json')) console.log(JSON.stringify(result))
  else printPackDocument(result)
}

function measurePacks(): PackDocumentResult {
  const { httpPacks } = loadPacks(protocols)
  const packDocument = [
    ofSample(httpPacks, 'digiflazz', 'top-up delivered'),
    ofSample(httpPacks, 'digiflazz', 'postpaid inquiry answered, 2 bills'),
    ofSample(httpPacks, 'iak', 'postpaid payment answered'),
    ofSample(httpPacks, 'rajabiller', 'payment answered'),
    ofSample(httpPacks, 'rajabiller-xmlrpc', 'payment answered'),
    soapRow(),
  ]
  return { packDocument, wantedBelow: WANTED_RATIO }
}

export function printPackDocument({ packDocument, wantedBelow }: PackDocumentResult): void {
  console.log(`${'ns'.padEnd(63)}      read     write      head   library  document  frame`)
  for (const {
    name,
    bytes,
    readNs,
    writeNs,
    headNs,
    libraryNs,
    ratio,
    frameRatio,
  } of packDocument) {
    const figures = [readNs, writeNs, headNs, libraryNs].map(ns => `${ns}`.padStart(10)).join('')
    const ratios = `${ratio.toFixed(2).padStart(8)}${frameRatio.toFixed(2).padStart(8)}`
    console.log(`${name.padEnd(56)}${`${bytes} B`.padStart(7)}${figures}${ratios}`)
  }
  console.log(`the last two are ratios to the library; wanted < ${wantedBelow}`)
}

function ofSample(packs: ReadonlyMap<string, HttpPack>, name: string, title: string): Row {
  const file = `${protocols}/${name}/samples.yaml`
  const { samples, credentials } = readHttpSamples(file, readFileSync(file, 'utf8'))
  const sample = samples.find(one => one.title === title)
  const bare = packs.get(name)
  if (!sample?.asked || !bare) throw new Error(`no answer of ${name} is called "${title}"`)
  const secrets = Object.entries(credentials).map(([key, text]) => [key, new Secret(text)])
  const pack = bare.with(Object.fromEntries(secrets) as Record<string, Secret<string>>)
  return measureBoth(`${name}: ${title}`, pack, sample)
}

function measureBoth(
  name: string,
  pack: HttpPack,
  { frame: text, message, asked }: HttpSample,
): Row {
  const frame = Buffer.from(text)
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  const read = () => pack.readAnswer(frame, asked as never)
  const write = () => pack.write(message, asked)
  return measure(name, frame, read, write, libraryFor(body))
}

function soapRow(): Row {
  const pack = soapPack()
  const frame = Buffer.from(SOAP_FRAME)
  const { asked, message } = SOAP_MESSAGE
  const body = SOAP_FRAME.slice(SOAP_FRAME.indexOf('\r\n\r\n') + 4)
  const read = () => pack.readAnswer(frame, asked)
  const write = () => pack.write(message, asked)
  if (read().tag !== 'message') throw new Error('the SOAP frame cannot be read')
  return measure('SOAP 1.1: inquiry answered, 3 bills', frame, read, write, libraryFor(body))
}

function libraryFor(body: string): () => unknown {
  return body.startsWith('<')
    ? () => buildXml(parseXml(body))
    : () => JSON.stringify(JSON.parse(body) as unknown)
}

function measure(
  name: string,
  frame: Uint8Array,
  read: () => unknown,
  write: () => unknown,
  library: () => unknown,
): Row {
  const { headers, status, body } = readHttpResponse(frame)
  const head = () => {
    sink = writeHttpResponse({ headers, status, body })
    return readHttpResponse(frame)
  }
  const all = [read, write, head, library]
  for (const run of all) time(run)
  const times = all.map((): number[] => [])
  for (let i = 0; i < RUNS; i++) {
    for (const [index, run] of all.entries()) (times[index] as number[]).push(time(run))
  }
  const [readNs, writeNs, headNs, libraryNs] = times.map(least) as [number, number, number, number]
  const ratioOf = (ns: number) => Math.round((ns / libraryNs) * 100) / 100
  return {
    name,
    bytes: frame.length,
    readNs,
    writeNs,
    headNs,
    libraryNs,
    ratio: ratioOf(readNs + writeNs - headNs),
    frameRatio: ratioOf(readNs + writeNs),
  }
}

function least(times: readonly number[]): number {
  return Math.round(Math.min(...times))
}

/** Nanoseconds a call, over about RUN_MS. */
function time(run: () => unknown): number {
  const from = performance.now()
  let calls = 0
  let took = 0
  do {
    for (let i = 0; i < 200; i++) sink = run()
    calls += 200
    took = performance.now() - from
  } while (took < RUN_MS)
  return (took * 1e6) / calls
}

/** What the library gives, put into the plainest tree. */
type Element = {
  name: string
  attributes: Record<string, string>
  children: (Element | string)[]
}

function parseXml(text: string): Element {
  const parser = sax.parser(true)
  const open: Element[] = [{ name: '', attributes: {}, children: [] }]
  Object.assign(parser, {
    onopentag({ name, attributes }: sax.Tag) {
      const element = { name, attributes, children: [] }
      open.at(-1)?.children.push(element)
      open.push(element)
    },
    onclosetag: () => open.pop(),
    ontext: (content: string) => open.at(-1)?.children.push(content),
  })
  parser.write(text).close()
  return open[0]?.children[0] as Element
}

function buildXml({ name, attributes, children }: Element): string {
  let out = `<${name}`
  for (const [key, value] of Object.entries(attributes)) out += ` ${key}="${escapeXml(value)}"`
  out += '>'
  for (const child of children)
    out += typeof child === 'string' ? escapeXml(child) : buildXml(child)
  return `${out}</${name}>`
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, one => `&#${one.charCodeAt(0)};`)
}
