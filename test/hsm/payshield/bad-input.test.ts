import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { COMMANDS, responseCodeOf, writeRequest } from '../../../src/hsm/payshield/grammar/index.ts'
import type { Command } from '../../../src/hsm/payshield/grammar/index.ts'
import { isHostCode } from '../../../src/hsm/payshield/host-codes.ts'
import { payShieldSimulator } from '../../../src/hsm/payshield/simulator/index.ts'
import { frame } from '../../../src/hsm/payshield/frame.ts'
import { anyRequest, CODES } from './arbitrary.ts'
import { under } from './keys.ts'
import { Talk } from './talk.ts'

const HEADER = '0001'
/** A box of which nothing is switched off; without a socket. */
const box = payShieldSimulator({ port: 0, clearPins: true })

/** The answer without its header. */
function ask(message: string): string {
  box.authorise()
  return box.answer(HEADER + message)?.slice(HEADER.length) ?? ''
}

type Pairs = {
  'host-variant-lmk': { cmd: string; request: string; result: string }[]
  'host-keyblock-lmk': { request: string; response: string }[]
}
const OWN = new URL('fixtures/host-commands.json', import.meta.url)
const SHARED = new URL('../../../../shared/reference/crypto-vectors.json', import.meta.url)
const read = (file: URL): Pairs => JSON.parse(readFileSync(file, 'utf8')) as Pairs
const pairs = (of: Pairs): (readonly [request: string, response: string])[] => [
  ...of['host-variant-lmk'].map(
    ({ cmd, request, result }) => [cmd + request, responseCodeOf(cmd) + result] as const,
  ),
  ...of['host-keyblock-lmk'].map(
    ({ request, response }) =>
      [
        request.replace(/<5 bytes (\w+)>/, (_, hex: string) =>
          Buffer.from(hex, 'hex').toString('latin1'),
        ),
        response,
      ] as const,
  ),
]
const KNOWN = pairs(read(OWN))

t.test('every command that was wanted is there, and answers under its own code', async t => {
  const wanted =
    'NC NO B2 A0 A4 A6 A8 BU CA CC CI G0 BA DA EA DC EC DG BK DE EE CW CY M0 M2 M6 M8 JC JE JG MA MC ME FA FC FE GC MI'
  for (const code of wanted.split(' ')) {
    t.ok(Object.hasOwn(COMMANDS, code), code)
    t.equal(ask(code).slice(0, 2), responseCodeOf(code))
  }
})

t.test(
  'the pairs that are shared are ours, and answered byte for byte',
  existsSync(SHARED) ? {} : { skip: 'the reference is not on this machine' },
  async t => {
    const shared = pairs(read(SHARED))
    t.ok(shared.length >= 49)
    const own = new Map(KNOWN)
    for (const [request, response] of shared) {
      t.equal(own.get(request), response, `${request.slice(0, 2)} is among our own samples`)
      const answer = ask(request)
      // The last bytes of a new block are random padding and what follows from it.
      const fixed = request.startsWith('A4') && response.includes('S0') ? 53 : response.length
      t.equal(answer.slice(0, fixed), response.slice(0, fixed), request)
      t.equal(answer.length, response.length)
    }
  },
)

t.test('what is no command is told so, for each pair of characters', async t => {
  const characters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789az \x00\x19\xff%;'.split('')
  const wrong: string[] = []
  for (const first of characters)
    for (const second of characters) {
      const code = first + second
      if (Object.hasOwn(COMMANDS, code)) continue
      for (const body of ['', '0123456789'])
        if (ask(code + body) !== `${responseCodeOf(code)}68`) wrong.push(code)
    }
  t.same(wrong, [])
})

/** What a field of some kind cannot hold; nothing for those that take any character. */
const SPOILS: Readonly<Record<string, readonly string[]>> = {
  digits: ['A', ' ', '\xff'],
  hex: ['G', ' ', '\x00'],
  choice: ['?'],
  account: ['A'],
}

t.test(
  'a character that a field cannot hold is refused, in every field of every command',
  async t => {
    let spoilt = 0
    for (const code of CODES) {
      const { request: fields } = COMMANDS[code] as Command
      const wrong: string[] = []
      for (const field of fields) {
        if (!('name' in field)) continue
        for (const character of SPOILS[field.kind] ?? [])
          for (const values of fc.sample(anyRequest(code), { numRuns: 8, seed: 3 })) {
            const value = values[field.name]
            if (typeof value !== 'string' || value === '') continue
            // Where its place cannot be told there is nothing to spoil.
            const message = writeRequest(code, values as never)
            const at = message.indexOf(value, 2)
            if (at < 0 || message.indexOf(value, at + 1) >= 0) continue
            spoilt++
            const answer = ask(message.slice(0, at) + character + message.slice(at + 1))
            const error = answer.slice(2, 4)
            if (!isHostCode(error) || error === '00' || error === '41')
              wrong.push(`${field.name} ${JSON.stringify(character)}: ${error}`)
          }
      }
      t.same(wrong, [], code)
    }
    t.ok(spoilt > 500, `${spoilt} fields were spoilt`)
  },
)

t.test('a key of another type, and one of even parity, is refused wherever one stands', async t => {
  // The same clear keys under types that none of these commands takes.
  const clear = '0123456789ABCDEFFEDCBA9876543210'
  const others = [under('30B', clear), under('10C', clear), under('70D', `00${clear.slice(2)}`)]
  let tried = 0
  for (const [request, response] of KNOWN) {
    if (!/^..0[02]/.test(response)) continue
    // Components are as good under any value, and new keys come of them.
    if (/^(?:A4|BK|BU)/.test(request)) continue
    for (const [key] of request.matchAll(/[UX][0-9A-F]{32}/g))
      for (const other of others) {
        const changed = request.replace(key, other)
        if (changed === request) continue
        const answer = ask(changed)
        tried++
        t.match(
          answer.slice(2, 4),
          /^(?:0[14]|1[0-3]|2[0-9]|68|75)$/,
          `${request.slice(0, 2)} ${key}`,
        )
      }
  }
  t.ok(tried > 100, `${tried} keys were put in`)
})

t.test('lengths that say too much or too little, and data beyond all limits', async t => {
  const tak = under('003', '0123456789ABCDEFFEDCBA9876543210')
  const zek = under('00A', '0123456789ABCDEFFEDCBA9876543210')
  const rows: [title: string, message: string, codes: RegExp][] = [
    ['an echo that is shorter than it says', 'B20005abc', /^80$/],
    ['an echo that is longer than it says', 'B20002abc', /^15$/],
    ['a length that is no number', 'B2000Gabc', /^15$/],
    ['MAC data that is shorter than it says', `M600011003${tak}FFFFabc`, /^06$/],
    ['MAC data that is longer than it says', `M600011003${tak}0001abc`, /^15$/],
    ['data that fills no block', `M0000000A${zek}0007abcdefg`, /^06$/],
    ['data of no length', `M0000000A${zek}0000`, /^06$/],
    ['more components than there are', `A49000U${tak}`, /^(?:03|10|15)$/],
    ['one component', `A41000U${tak}`, /^(?:03|15)$/],
    ['no chain', 'NK0000', /^52$/],
    ['a chain that is shorter than it says', 'NK00099002NC', /^52$/],
    [
      'a key block that is longer than the message',
      `BUFFFS00999P0TN00N0000${'A'.repeat(40)}`,
      /^(?:15|A\w|26|27)$/,
    ],
    ['a trailer longer than any', `NC\x19${'x'.repeat(33)}`, /^15$/],
    ['60,000 characters behind a command', `NC${'x'.repeat(60_000)}`, /^15$/],
    ['a key of 60,000 digits', `CAU${'0'.repeat(60_000)}`, /^1\d$/],
  ]
  for (const [title, message, codes] of rows) t.match(ask(message).slice(2, 4), codes, title)
})

t.test('garbage between good requests, all at once and in pieces', async t => {
  const simulator = payShieldSimulator({ port: 0 })
  const { port } = await simulator.start()
  t.teardown(() => simulator.stop())
  const garbage = [
    'QQ',
    'CA',
    '\xff\xff\xff',
    `CAU${'G'.repeat(80)}`,
    'M6\x00\x00\x00',
    'NK0099NC',
    `NC%99`,
    `B2FFFF${'y'.repeat(3000)}`,
    'A0\x19\x19',
  ]
  const good = KNOWN.slice(0, 30)
  const messages = good.flatMap(([request], index) => [
    `${String(index).padStart(4, '0')}${request}`,
    `bad!${garbage[index % garbage.length] ?? ''}`,
  ])
  const stream = Buffer.concat(messages.map(message => frame(message)))
  for (const size of [stream.length, 1, 7, 1000]) {
    const talk = await Talk.open(port)
    for (let at = 0; at < stream.length; at += size) talk.send(stream.subarray(at, at + size))
    const wrong: string[] = []
    for (const [index, [request, response]] of good.entries()) {
      const answer = await talk.next()
      const random = request.startsWith('A4') && response.includes('S0')
      if (
        random ? !answer?.startsWith(String(index).padStart(4, '0')) : answer?.slice(4) !== response
      )
        wrong.push(`${request} → ${answer}`)
      const refused = await talk.next()
      if (!refused?.startsWith('bad!') || refused.slice(6, 8) === '00') wrong.push(`${refused}`)
    }
    t.same(wrong, [], `in pieces of ${size}`)
    talk.end()
  }
})
