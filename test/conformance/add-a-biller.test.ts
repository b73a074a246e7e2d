import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { nadiIn } from '../cli/nadi.ts'

/** docs/add-a-biller.md, done as it says. */

const DOCUMENT = readFileSync(new URL('../../docs/add-a-biller.md', import.meta.url), 'utf8')
const BLOCKS = [...DOCUMENT.matchAll(/^```(\w+)(?: ([^\n]*))?\n(.*?)^```$/gms)].map(
  ([, language = '', name = '', text = '']) => ({ language, name, text }),
)
const named = (name: string): string[] => BLOCKS.filter(one => one.name === name).map(b => b.text)

const FOLDER = mkdtempSync(join(tmpdir(), 'nadi-doc-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))

/** Commands name folders from where one stands; the test stands in a folder of its own. */
async function nadi(line: string): Promise<{ code: number; all: string }> {
  const words = line.trim().split(/\s+/).slice(1)
  const args = words.map(word =>
    word.startsWith('packs') || word.endsWith('.md') ? join(FOLDER, word) : word,
  )
  const { code, out, err } = await nadiIn(FOLDER)(...args)
  return { code, all: out + err }
}

const [begins = '', checks = '', tests = ''] = BLOCKS.filter(
  ({ language, name }) => language === 'sh' && name === '',
).map(({ text }) => text)

/** Sections of a text by their first line; comments above one go with the one before. */
function sectionsOf(text: string): Map<string, string> {
  const sections = new Map<string, string>()
  let name = ''
  for (const line of text.split('\n')) {
    name = /^([a-z]+):/.exec(line)?.[1] ?? name
    sections.set(name, `${sections.get(name) ?? ''}${line}\n`)
  }
  return sections
}

const file = (name: string): string => join(FOLDER, 'packs/gas-umpama', name)

t.test('the document leads to a pack that is good and passes every case', async t => {
  const begun = await nadi(begins)
  t.equal(begun.code, 0, begun.all)

  const sections = sectionsOf(readFileSync(file('pack.yaml'), 'utf8'))
  for (const text of named('pack.yaml'))
    for (const [name, section] of sectionsOf(text)) {
      t.ok(sections.has(name) || name === '', `${name} is there already`)
      sections.set(name, section)
    }
  writeFileSync(file('pack.yaml'), [...sections.values()].join(''))

  const body = '{"idpel":"999900000015","trxId":"2026112000000001"}'
  const signed = `LOKET01:2026-11-20T09:15:00+07:00:${body}`
  const sign = createHmac('sha256', 'contoh-kunci').update(signed).digest('hex')
  const samples = named('samples.yaml').join('')
  t.match(samples, sign, 'the signature of the document is the one that the PDF describes')
  t.match(DOCUMENT, `   ${body}`, 'the sample is the one of the PDF')
  writeFileSync(file('samples.yaml'), samples)

  const checked = await nadi(checks)
  t.equal(checked.code, 0, checked.all)

  const tested = await nadi(`${tests.trim()} --patience 800ms --at-once 6`)
  t.equal(tested.code, 0, tested.all)
  t.match(tested.all, /\d\d passed, 0 failed/)
  const report = readFileSync(join(FOLDER, 'gas-umpama.md'), 'utf8')
  t.match(report, /gas: gzip-bomb/)
  t.notMatch(report, /contoh-kunci/)
})

t.test('what is forgotten is said as the document says', async t => {
  const text = readFileSync(file('pack.yaml'), 'utf8')
  writeFileSync(file('pack.yaml'), text.replace(/^ *denda\?:.*\n/m, ''))
  const { code, all } = await nadi(checks)
  t.equal(code, 1)
  const [problem = ''] = BLOCKS.filter(({ language }) => language === 'problems').map(b => b.text)
  t.ok(all.includes(problem.trim().replace('packs/', `${FOLDER}/packs/`)), all)
})
