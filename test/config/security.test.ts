import t from 'tap'
import { EXCHANGE_PROFILES } from '#switch'
import { bankConfig } from '../e2e/bank-config.ts'

/** What is wrong with a `security:` section, by its text; each is in a link's and a listener's file. */
function problemsOf(section: string): string[] {
  try {
    bankConfig(1, `\nsecurity:\n${section}\n`)
    return []
  } catch (error) {
    const problems = JSON.parse((error as Error).message) as { path: string; text: string }[]
    const inLink = problems.filter(({ path }) => /links\/bank\.yaml:\d+$/.test(path))
    t.equal(inLink.length * 2, problems.length, 'each with its line, in both files')
    return inLink.map(({ text }) => text)
  }
}

const MAC = 'mac: { field: 128, algorithm: retail, keyType: ZAK'
const rows: [title: string, section: string, problems: RegExp[]][] = [
  ['nothing at all is right', '  card: []', []],
  ['a MAC', `  ${MAC} }`, []],
  ['over some elements', `  ${MAC}, covers: [2, 3, 4] }`, []],
  ['in an element that has none', `  ${MAC.replace('128', '48')} }`, [/one of 64, 128/]],
  ['a key of another algorithm', `  ${MAC.replace('ZAK', 'CMAC')} }`, [/makes cmac, not retail/]],
  ['a key that makes no MACs', `  ${MAC.replace('ZAK', 'ZPK')} }`, [/wanted is one of .*ZAK/]],
  ['a PIN of format 2', '  pin: { format: 2, keyType: ZPK }', [/one of 0, 1, 3, 4/]],
  ['an AES block in eight bytes', '  pin: { format: 4, keyType: ZPK }', [/cannot carry 32 digits/]],
  ['proof of a session', '  session: { field: 53, keyType: ZEK }', []],
  [
    'an exchange that there is not',
    '  exchange: { profile: de49, keys: [ZPK] }',
    [/one of de48, .*arranet/],
  ],
  [
    'two kinds of key where none is told',
    '  exchange: { profile: de53, keys: [ZPK, ZAK] }',
    [/cannot tell ZPK, ZAK from other keys/],
  ],
  ['a setting that there is not', '  macs: yes', [/security\.macs is no setting/]],
]
for (const [title, section, wanted] of rows) {
  t.test(title, async t => {
    const found = problemsOf(section)
    t.equal(found.length, wanted.length, found.join('\n'))
    for (const [index, pattern] of wanted.entries()) t.match(found[index], pattern)
  })
}

t.test('what is said is what is done', async t => {
  const section = `
security:
  ${MAC}, bytes: 4, padding: 2, covers: [2, 3] }
  pin: { format: 3, keyType: ZPK }
  card: [35]
  exchange: { profile: base24, keys: [ZPK, ZAK], by: ask, every: 24h, timeout: 5s, attempts: 2 }
`
  const { links, listeners } = bankConfig(1, section)
  const wanted = {
    mac: {
      field: 128,
      algorithm: 'retail',
      padding: 2,
      macBytes: 4,
      keyType: 'ZAK',
      covers: [2, 3],
    },
    pin: { field: 52, format: 3, keyType: 'ZPK' },
    card: [35],
    exchange: {
      profile: EXCHANGE_PROFILES.base24,
      keys: ['ZPK', 'ZAK'],
      by: 'ask',
      everyMs: 86_400_000,
      timeoutMs: 5000,
      attempts: 2,
      mac: false,
    },
  }
  t.same(links[0]?.security, wanted)
  t.same(listeners[0]?.security, wanted)
  t.equal(bankConfig(1, '').links[0]?.security, undefined, 'and nothing without it')
})
