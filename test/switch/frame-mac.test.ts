import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { SystemClock } from '#base'
import { type KeyTypeName, SoftHsm, type ZoneKeys } from '#hsm'
import { compileSpec, compileTable, type IsoCodec } from '#iso8583'
import { NO_LOG } from '#telemetry'
import { FrameMac, type MacProfile } from '../../src/switch/security/frame-mac.ts'

function codecOf(name: string): IsoCodec {
  const files = [...new Set([name, 'iso8583-1987-ascii', 'emv-chip-data'])].map(
    one => `specs/${one}.yaml`,
  )
  const { spec, problems } = compileTable(
    files.map(path => ({ path, text: readFileSync(path, 'utf8') })),
  )
  if (!spec) throw new Error(JSON.stringify(problems))
  return compileSpec(spec)
}

/** Keys as a store has them: the newest first. */
class Ring implements ZoneKeys {
  readonly blocks: string[] = []

  active(_type: KeyTypeName): string | undefined {
    return this.blocks[0]
  }

  accepted(): readonly string[] {
    return this.blocks.slice(0, 2)
  }
}

const folder = mkdtempSync(join(tmpdir(), 'nadi-mac-'))
writeFileSync(join(folder, 'lmk'), 'A5'.repeat(31) + '5A', { mode: 0o600 })
const hsm = await SoftHsm.start({
  lmk: { from: 'file', path: join(folder, 'lmk') },
  lab: true,
  clock: new SystemClock(),
  log: NO_LOG,
})
t.teardown(async () => {
  await hsm.close()
  rmSync(folder, { recursive: true })
})

const RETAIL: MacProfile = {
  field: 64,
  algorithm: 'retail',
  padding: 1,
  macBytes: 4,
  keyType: 'ZAK',
  covers: 'message',
}
const rows: [title: string, table: string, profile: MacProfile][] = [
  ['retail MAC of 4 bytes in DE64, ASCII', 'iso8583-1987-ascii', RETAIL],
  ['retail MAC of 8 bytes in DE64, binary', 'iso8583-1987-binary', { ...RETAIL, macBytes: 8 }],
  [
    'CBC-MAC in DE128',
    'iso8583-1987-ascii',
    { ...RETAIL, field: 128, algorithm: 'cbc', keyType: 'ZAK_CBC' },
  ],
  [
    'CMAC in DE128, binary',
    'iso8583-1987-binary',
    { ...RETAIL, field: 128, algorithm: 'cmac', keyType: 'CMAC' },
  ],
  ['over the values of some elements', 'iso8583-1987-ascii', { ...RETAIL, covers: [3, 4, 11] }],
]

for (const [title, table, profile] of rows) {
  t.test(title, async t => {
    const codec = codecOf(table)
    const ring = new Ring()
    const mac = new FrameMac(codec, hsm, ring, profile)
    const frame = codec
      .create('0200')
      .set(3, '500000')
      .set(4, '000000260500')
      .set(11, '000777')
      .set(41, 'TERM0001')
      .build()
    await t.rejects(mac.protect(frame), { code: 'HSM_UNAVAILABLE' }, 'there is no key yet')

    ring.blocks.unshift((await hsm.generateKey(profile.keyType)).key)
    const sealed = await mac.protect(frame)
    const read = codec.parse(sealed)
    t.match(read.get(profile.field), /^[0-9A-F]{16}$/)
    t.equal(read.get(4), '000000260500', 'all else is as it was')
    t.equal(await mac.check(sealed), undefined, 'it holds')
    t.equal(await mac.check(frame), 'missing')

    const changed = codec.parse(sealed).draft().set(4, '000000999900').build()
    t.equal(await mac.check(changed), 'wrong', 'another amount')
    const garbage = Uint8Array.from(sealed).subarray(0, sealed.length - 3)
    t.equal(await mac.check(garbage), 'unreadable')

    const network = codec.create('0800').set(11, '000001').set(70, '301').build()
    t.same(await mac.protect(network), network, 'the line itself goes without')
    t.equal(await mac.check(network), undefined)

    ring.blocks.unshift((await hsm.generateKey(profile.keyType)).key)
    t.equal(await mac.check(sealed), undefined, 'what left before the change may still come in')
    t.equal(await mac.check(await mac.protect(frame)), undefined)
    ring.blocks.unshift((await hsm.generateKey(profile.keyType)).key)
    t.equal(await mac.check(sealed), 'wrong', 'but not for ever')
  })
}
