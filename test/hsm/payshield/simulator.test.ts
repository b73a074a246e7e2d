import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import fc from 'fast-check'
import t from 'tap'
import type { Test } from 'tap'
import { frame } from '../../../src/hsm/payshield/frame.ts'
import { responseCodeOf, writeRequest } from '../../../src/hsm/payshield/grammar/index.ts'
import { isHostCode } from '../../../src/hsm/payshield/host-codes.ts'
import { payShieldSimulator } from '../../../src/hsm/payshield/simulator/index.ts'
import type { SimulatorOptions } from '../../../src/hsm/payshield/simulator/index.ts'
import { anyRequest, CODES } from './arbitrary.ts'
import { block, under } from './keys.ts'
import { Talk } from './talk.ts'

type Pair = { readonly request: string; readonly response: string }

/** Requests and answers under the test LMKs, as boxes and other simulators gave them. */
function pairs(): Pair[] {
  const file = new URL('fixtures/host-commands.json', import.meta.url)
  const data = JSON.parse(readFileSync(file, 'utf8')) as {
    'host-variant-lmk': { cmd: string; request: string; result: string }[]
    'host-keyblock-lmk': Pair[]
  }
  return [
    ...data['host-variant-lmk'].map(({ cmd, request, result }) => ({
      request: cmd + request,
      response: responseCodeOf(cmd) + result,
    })),
    ...data['host-keyblock-lmk'].map(({ request, response }) => ({
      request: request.replace(/<5 bytes (\w+)>/, (_, hex: string) =>
        Buffer.from(hex, 'hex').toString('latin1'),
      ),
      response,
    })),
  ]
}

async function running(t: Test, options: SimulatorOptions = {}) {
  const simulator = payShieldSimulator({ port: 0, ...options })
  const { port } = await simulator.start()
  t.teardown(() => simulator.stop())
  const talk = await Talk.open(port)
  t.teardown(() => talk.end())
  const ask = async (message: string) => (await talk.ask(`0001${message}`))?.slice(4)
  return { simulator, port, talk, ask }
}

t.test('every known pair is answered byte for byte, one after another and all at once', async t => {
  const { talk } = await running(t)
  const known = pairs()
  const headers = known.map((_, index) => String(index).padStart(4, '0'))
  const check = (answer: string | undefined, index: number): void => {
    const { request, response } = known[index] as Pair
    const wanted = (headers[index] ?? '') + response
    // The last bytes of a new block are random padding and what follows from it.
    const fixed = request.startsWith('A4') && response.includes('S0') ? 57 : wanted.length
    t.equal(answer?.slice(0, fixed), wanted.slice(0, fixed), request)
    t.equal(answer?.slice(-6), wanted.slice(-6))
  }
  for (const [index, { request }] of known.entries()) {
    check(await talk.ask((headers[index] ?? '') + request), index)
  }
  talk.say(...known.map(({ request }, index) => (headers[index] ?? '') + request))
  for (const index of known.keys()) check(await talk.next(), index)
})

t.test('header, trailer and LMK', async t => {
  const { talk } = await running(t)
  const rows: [title: string, message: string, wanted: string][] = [
    ['the header comes back', 'abcdNC', 'abcdND002686040000000000NADI-0001'],
    ['the trailer comes back', '0001NC\x19the end', '0001ND002686040000000000NADI-0001\x19the end'],
    ['the LMK is chosen', '0001NC%01', '0001ND001651260000000000NADI-0001'],
    ['another LMK is chosen', '0001NC%02', '0001ND009D04A00000000000NADI-0001'],
    ['no such LMK', '0001NC%09', '0001ND13'],
    ['a refusal has the trailer, too', '0001CA\x19x', '0001CB15\x19x'],
    ['no such command', '0001QQ', '0001QR68'],
    ['characters that are no command', '0001\xff\xff', '0001\xff\xff68'],
    ['an echo', '0001B20004\x00\xff%0', '0001B300\x00\xff%0'],
    ['status', '0001NO00', '0001NP003164NADI-000100000'],
    ['whether it is in PCI mode', '0001NO01', '0001NP000'],
    ['a chain', '0001NK0020002NC0006B20001', '0001NL00020029ND002686040000000000NADI-00010004B380'],
    ['a chain with headers', '0001NK1010006wxyzRA', '0001NL00010008wxyzRB00'],
    ['a chain within a chain', '0001NK0010005NK001', '0001NL15'],
    [
      'a hash',
      '0001GM0100003abc',
      '0001GN00' +
        Buffer.from('A9993E364706816ABA3E25717850C26C9CD0D89D', 'hex').toString('latin1'),
    ],
  ]
  for (const [title, message, wanted] of rows) t.equal(await talk.ask(message), wanted, title)
  t.equal((await talk.ask('0001N0016'))?.length, 8 + 16)
})

t.test('a header of another length', async t => {
  const { talk } = await running(t, { headerLength: 12, firmware: '0000-TEST' })
  t.equal(await talk.ask('twelve charsNC'), 'twelve charsND0026860400000000000000-TEST')
})

const TPK = '0123456789ABCDEFFEDCBA9876543210'
const ZPK = 'C7152C20BC2C830EA7EC9E8334ABE3FE'
const EVEN = '0023456789ABCDEFFEDCBA9876543210'

t.test('what is wrong decides the error code', async t => {
  const { ask } = await running(t)
  const zpk = under('001', ZPK)
  const tpk = under('002', TPK)
  const pinBlock = '2A3D408A1977DDE9'
  const pinTail = `12${pinBlock}0101111111111111`
  const p0 = (modeOfUse: string, usage = 'P0') => block('01', ZPK, { usage, modeOfUse })
  const broken = p0('N').replace(/.$/, last => (last === '0' ? '1' : '0'))
  const rows: [title: string, message: string, wanted: string][] = [
    ['a good translation', `CA${tpk}${zpk}${pinTail}`, '00'],
    ['a source key of another type', `CA${under('003', TPK)}${zpk}${pinTail}`, '10'],
    ['a destination key of another type', `CA${tpk}${under('008', ZPK)}${pinTail}`, '11'],
    ['a source key of even parity', `CA${under('002', EVEN)}${zpk}${pinTail}`, '10'],
    ['a destination key of even parity', `CA${tpk}${under('001', EVEN)}${pinTail}`, '11'],
    ['a key of zeros', `CA${under('002', '0'.repeat(32))}${zpk}${pinTail}`, '11'],
    ['a block with no PIN in it', `CA${tpk}${zpk}12${'0'.repeat(16)}0101111111111111`, '20'],
    ['another account', `CA${tpk}${zpk}12${pinBlock}0101111111111112`, '20'],
    ['an unknown format', `CA${tpk}${zpk}12${pinBlock}9901111111111111`, '23'],
    ['into format 1', `CA${tpk}${zpk}12${pinBlock}0105111111111111`, '23'],
    ['a PIN longer than asked for', `CA${tpk}${zpk}03${pinBlock}0101111111111111`, '24'],
    ['a key block under the variant LMK', `CA${p0('N')}${zpk}${pinTail}%00`, 'A1'],
    ['a variant key under a key block LMK', `CA${p0('N')}${zpk}${pinTail}`, 'A1'],
    ['a block under another LMK', `CA${p0('N')}${p0('N')}${pinTail}%02`, 'A1'],
    [
      'a block of another LMK number',
      `CA${p0('N')}${p0('N').replace('E0001', 'E0007')}${pinTail}`,
      'A2',
    ],
    ['a block that was changed', `CA${p0('N')}${broken}${pinTail}`, 'A4'],
    ['a block for another usage', `CA${p0('N', 'M3')}${p0('N')}${pinTail}`, 'A6'],
    ['a block for another mode', `CA${p0('E')}${p0('N')}${pinTail}`, 'A8'],
    ['a key in user storage', `CAUK012${zpk}${pinTail}`, '12'],
    ['a type code that is none', 'A0099AU', '04'],
    ['a type code for blocks under the variant LMK', 'A00FFFU', '04'],
    ['a scheme of blocks under the variant LMK', 'A00001S#P0T2N00E00', '26'],
    ['a scheme of the variant LMK for a block', 'A00FFFU%01#P0T2N00E00', '26'],
    ['a block without a header', 'A00FFFS%01', 'A7'],
    ['an algorithm that is none', 'A00FFFS%01#P0Q2N00E00', 'A7'],
    ['AES under a TDES LMK', 'A00FFFS%01#P0A1N00E00', 'A7'],
    ['a mode of use that is none', 'A00FFFS%01#P0T2Q00E00', 'A8'],
    ['an exportability that is none', 'A00FFFS%01#P0T2N00X00', 'AA'],
    ['optional blocks', 'A00FFFS%01#P0T2N00E02', 'AB'],
    ['a length flag of another length', `BU001${under('000', '0123456789ABCDEF')}`, '15'],
    ['a length flag of a longer key', `BU000${under('000', ZPK)}`, '05'],
    ['a pair code of no pair', `BU0F1${zpk}`, '04'],
    [
      'a PVK of single length',
      `DC${tpk}${under('002', '0123456789ABCDEF')}${'0'.repeat(16)}${pinBlock}0111111111111112345`,
      '11',
    ],
    ['a MAC key of another type', `M600011002${tpk}0000`, '05'],
    ['a part that is no whole block', `M610011003${under('003', TPK)}0003abc`, '06'],
    ['data that is no whole block', `M0000000B${under('00B', TPK)}0003abc`, '06'],
    ['no data at all', `M0000000B${under('00B', TPK)}0000`, '06'],
    ['a key that is not for data', `M00000001${zpk}0008abcdefgh`, '05'],
    ['an AES algorithm with a TDES key', `M600051003${under('003', TPK)}0001a`, 'A7'],
    ['padding 3 of a message in parts', `M610013003${under('003', TPK)}0008abcdefgh`, '09'],
    ['a PIN under the LMK that is none', `DG${under('002', TPK)}9123451111111111111`, '14'],
    ['a random PIN of 3 digits', 'JA11111111111103', '24'],
    [
      'a table that is none',
      `EE${under('002', TPK)}0000FFFFFFFF04111111111111FFFFFFFFFFFFFFFF12345N789012`,
      '25',
    ],
    [
      'validation data without N',
      `EE${under('002', TPK)}0000FFFFFFFF04111111111111FD64FC3FAD504BB3123456789012`,
      '15',
    ],
    ['a clear PIN', 'BA01234111111111111', '68'],
    [
      'an export that the block forbids',
      `A8FFF${block('01', TPK, { usage: 'K0' })}${block('01', ZPK, { exportability: 'N' })}S`,
      'AA',
    ],
    ['a block of a variant key without a header', `A8001${under('000', TPK)}${zpk}S`, 'A6'],
  ]
  for (const [title, message, wanted] of rows) {
    const answer = await ask(message)
    t.equal(answer?.slice(0, 4), responseCodeOf(message.slice(0, 2)) + wanted, title)
  }
})

t.test('the authorised state and clear PINs', async t => {
  const { ask, simulator } = await running(t, { clearPins: true })
  const form = `GY2${under('000', TPK)}${under('000', ZPK)}`
  const clear = 'BA1234F111111111111'
  t.match(await ask(form), /^GZ00/)
  t.equal(await ask(clear), 'BB0001234')
  t.equal(await ask('NG11111111111101234'), 'NH001234F')
  t.equal(await ask('RA'), 'RB00')
  for (const message of [form, clear, 'NG11111111111101234']) {
    t.equal((await ask(message))?.slice(2), '17', message.slice(0, 2))
  }
  simulator.authorise()
  t.match(await ask(form), /^GZ00/)
  const begins = await running(t, { authorised: false })
  t.equal((await begins.ask(form))?.slice(2), '17')
})

t.test('PCI mode keeps terminal keys apart', async t => {
  const { ask } = await running(t, { pci: true })
  const zpk = under('001', ZPK)
  const tail = '122A3D408A1977DDE90101111111111111'
  t.equal((await ask(`CA${under('002', TPK)}${zpk}${tail}`))?.slice(2), '10')
  t.equal(await ask(`CA${under('70D', TPK)}${zpk}${tail}`), 'CB0004F6052A5891953D7501')
  t.equal((await ask('A0070DU'))?.slice(2, 4), '00')
})

/** The check value that BU gives, and what keys of each LMK must be named by. */
async function checkValue(
  ask: (message: string) => Promise<string | undefined>,
  code: string,
  key: string,
): Promise<string> {
  const flag = code === 'FFF' ? 'F' : String((key.length - (/^[G-Z]/.test(key) ? 1 : 0)) / 16 - 1)
  return (await ask(`BUFF${flag}${key};${code};001`))?.slice(4) ?? ''
}

t.test('a key made and exported comes in again with the same check value', async t => {
  const { ask } = await running(t)
  const zmk = { '00': under('000', TPK), '01': block('01', TPK, { usage: 'K0' }) }
  const aes = block('02', `${TPK}${ZPK}`, { usage: 'K0', algorithm: 'A' })
  const rows: [
    title: string,
    code: string,
    make: string,
    zmk: string,
    out: string,
    back: string,
  ][] = [
    ['single', '001', 'Z', zmk['00'], 'Z', 'Z'],
    ['double, variant', '001', 'U', zmk['00'], 'U', 'U'],
    ['double, X9.17', '008', 'X', zmk['00'], 'X', 'U'],
    ['triple, variant', '00A', 'T', zmk['00'], 'T', 'Y'],
    ['triple, X9.17', '402', 'Y', zmk['00'], 'Y', 'T'],
    ['TDES block', 'FFF', 'S%01#P0T2N00E00', zmk['01'], 'S', 'S'],
    ['triple TDES block, X9.143', 'FFF', 'S%01#M3T3C00E00', zmk['01'], 'R', 'S'],
    ['AES block', 'FFF', 'S%02#P0A1N00E00', aes, 'S', 'S'],
    ['AES block of 256 bits, X9.143', 'FFF', 'S%02#D0A3B00E00', aes, 'R', 'S'],
    ['TDES block under an AES key', 'FFF', 'S%02#V2T2N00E00', aes, 'R', 'S'],
  ]
  for (const [title, code, make, wrapping, out, back] of rows) {
    const made = (await ask(`A00${code}${make}`)) ?? ''
    const key = made.slice(4, -6)
    t.equal(made.slice(0, 4), 'A100', title)
    t.equal(await checkValue(ask, code, key), made.slice(-6), 'the check value is that of BU')
    const exported = (await ask(`A8${code}${wrapping}${key}${out}`)) ?? ''
    t.same([exported.slice(0, 4), exported.slice(-6)], ['A900', made.slice(-6)])
    const again = (await ask(`A6${code}${wrapping}${exported.slice(4, -6)}${back}`)) ?? ''
    t.same([again.slice(0, 4), again.slice(-6)], ['A700', made.slice(-6)])
    t.equal(await checkValue(ask, code, again.slice(4, -6)), made.slice(-6))
  }
})

t.test('keys that come in wrong', async t => {
  const { ask } = await running(t)
  const zmk = under('000', TPK)
  const exported = async (hex: string) => {
    const answer = await ask(`A8001${zmk}${under('001', hex)}X`)
    return answer?.slice(4, -6) ?? ''
  }
  const good = await exported(ZPK)
  // ECB: the first half of the key under the ZMK, twice, is a single key in disguise.
  const twice = `X${good.slice(1, 17)}${good.slice(1, 17)}`
  const rows: [title: string, message: string, wanted: string][] = [
    ['good', `A6001${zmk}${good}U`, '00'],
    ['a single one in disguise', `A6001${zmk}${twice}U`, '75'],
    ['the wrong ZMK', `A6001${under('000', ZPK)}${good}U`, '01'],
    ['a ZMK of another type', `A6001${under('001', TPK)}${good}U`, '10'],
    ['a scheme of another length', `A6001${zmk}${good}T`, '26'],
    ['an older command, the same', `FA${zmk}${good};0U1`, '00'],
    ['an older command, the wrong ZMK', `FA${under('000', ZPK)}${good};0U1`, '01'],
  ]
  for (const [title, message, wanted] of rows) {
    const answer = await ask(message)
    t.equal(answer?.slice(2, 4), wanted, title)
    // A warning comes with the key all the same, its parity corrected.
    if (wanted === '01') t.ok((answer?.length ?? 0) > 36)
  }
})

t.test('the older commands agree with the newer ones', async t => {
  const { ask } = await running(t)
  const zmk = under('000', TPK)
  const tmk = under('002', ZPK)
  const imports: [generate: string, code: string, importing: string, exporting: string][] = [
    ['IA', '001', 'FA', 'GC'],
    ['FI0', '00A', 'FK0', 'FM0'],
    ['FI1', '008', 'FK1', 'FM1'],
  ]
  for (const [generate, code, importing, exporting] of imports) {
    const made = (await ask(`${generate}${zmk};XU1`))?.slice(4) ?? ''
    const [underZmk, underLmk, value] = [made.slice(0, 33), made.slice(33, 66), made.slice(66)]
    t.equal(await checkValue(ask, code, underLmk), value, generate)
    t.equal((await ask(`${importing}${zmk}${underZmk};0U1`))?.slice(4), underLmk + value, importing)
    t.equal((await ask(`${exporting}${zmk}${underLmk};X01`))?.slice(4), underZmk + value, exporting)
  }
  const typed: [importing: string, exporting: string, code: string, tail: string][] = [
    ['FC', 'FE', '002', ';0U1'],
    ['MI', 'MG', '003', ';0U1'],
    ['DW', 'DY', '009', ';0U1'],
    ['AW', 'AU', '402', ';0U1'],
    ['BY', 'GC', '000', ';0U1'],
  ]
  for (const [importing, exporting, code, tail] of typed) {
    const key = under(code, ZPK)
    const out = (await ask(`A8${code}${zmk}${key}X`))?.slice(4, -6) ?? ''
    t.equal((await ask(`${importing}${zmk}${out}${tail}`))?.slice(4, 37), key, importing)
    if (exporting === 'GC') continue
    t.equal((await ask(`${exporting}${zmk}${key};X01`))?.slice(4, 37), out, exporting)
  }
  const cvk = (await ask('AS;0U1'))?.slice(4) ?? ''
  t.equal(await checkValue(ask, '402', cvk.slice(0, 33)), cvk.slice(33))
  const pair = (await ask('AS'))?.slice(4) ?? ''
  t.equal(pair.length, 32 + 12)
  t.equal(await checkValue(ask, '402', pair.slice(0, 16)), pair.slice(32, 38))
  t.equal(await checkValue(ask, '402', pair.slice(16, 32)), pair.slice(38))
  const bdk = (await ask('BI;0U1'))?.slice(4) ?? ''
  t.equal(await checkValue(ask, '009', bdk.slice(0, 33)), bdk.slice(33))
  const hc = (await ask(`HC${tmk};UU0`))?.slice(4) ?? ''
  t.equal((await ask(`AE${tmk}${hc.slice(33)}`))?.slice(4), hc.slice(0, 33), 'AE undoes HC')
  const ha = (await ask(`HA${tmk};UU0`))?.slice(4) ?? ''
  t.equal((await ask(`AG${tmk}${ha.slice(33)};U01`))?.slice(4, 37), ha.slice(0, 33), 'AG undoes HA')
  t.equal((await ask(`B0001${under('001', ZPK)}X`))?.slice(4), under('001', ZPK, 'X'))
  t.equal((await ask(`KA${zmk}00;001`))?.slice(4), '08D7B4')
})

t.test('a PIN goes through every encryption and stays the same', async t => {
  const { ask } = await running(t, { clearPins: true })
  const account = '111111111111'
  const whole = '4111111111111111'
  const zpk = under('001', ZPK)
  const tpk = under('002', TPK)
  const bdk = under('009', TPK)
  const dukpt = `A05FFFF9876543210E00003`
  for (const pin of ['1234', '98765', '123456789012']) {
    const underLmk = (await ask(`BA${pin.padEnd(13, 'F')}${account}`))?.slice(4) ?? ''
    const inZone = (await ask(`JG${zpk}01${account}${underLmk}`))?.slice(4) ?? ''
    t.equal((await ask(`JE${zpk}${inZone}01${account}`))?.slice(4), underLmk, 'zone')
    t.equal(await ask(`BE${zpk}${inZone}01${account}${underLmk}`), 'BF00')
    t.equal(
      await ask(`BE${zpk}${inZone}01${account}${underLmk.slice(0, -1)}0`),
      underLmk.endsWith('0') ? 'BF00' : 'BF01',
    )
    for (const [from, into] of [
      ['01', '47'],
      ['47', '01'],
      ['01', '03'],
      ['03', '47'],
    ] as const) {
      const one = (await ask(`CC${zpk}${zpk}12${inZone}01${from}${account}`))?.slice(6, -2) ?? ''
      const two = (await ask(`CC${zpk}${tpk}12${one}${from}${into}${account}`)) ?? ''
      t.equal(two.slice(2, 4), '11', 'a TPK is no ZPK')
      const three =
        (await ask(`CC${zpk}${zpk}12${one}${from}${into}${account}`))?.slice(6, -2) ?? ''
      t.equal((await ask(`JE${zpk}${three}${into}${account}`))?.slice(4), underLmk, from + into)
    }
    const device =
      (await ask(`CC${zpk}*${bdk}${dukpt}12${inZone}0101${account}`))?.slice(6, -2) ?? ''
    const back = await ask(`G0${bdk}${zpk}${dukpt}${device}0101${account}`)
    t.equal(back?.slice(6, -2), inZone, 'to a device and back')
    const other = `A05FFFF9876543210E00007`
    const hop = (await ask(`G0${bdk}*${bdk}${dukpt}${other}${device}0101${account}`))?.slice(6, -2)
    t.equal((await ask(`CI${bdk}${zpk}${other}${hop}01${account}`))?.slice(6, -2), inZone)
    const terminal = (await ask(`CA${tpk}${zpk}12${inZone}0101${account}`)) ?? ''
    t.equal(terminal.slice(0, 4), 'CB20', 'under another key it is no block')
  }
  const aes = block('02', ZPK, { usage: 'P0', algorithm: 'A' })
  const format4 = (await ask(`JG${aes}48${whole};01234`))?.slice(4) ?? ''
  t.equal(format4.length, 32)
  t.equal((await ask(`JE${aes}${format4}48${whole};`))?.slice(4), '01234')
  const tdes = block('02', TPK, { usage: 'P0' })
  const down = (await ask(`CC${aes}${tdes}12${format4}4801${whole};`))?.slice(6, -2) ?? ''
  t.equal(down, '2A3D408A1977DDE9', 'AES to TDES gives the known block')
  const up = (await ask(`CC${tdes}${aes}12${down}0148${whole};`))?.slice(6, -2) ?? ''
  t.equal((await ask(`JE${aes}${up}48${whole};`))?.slice(4), '01234')
  t.equal((await ask(`JE${aes}${format4}01${account}`))?.slice(2), 'A7')
})

t.test('what is made of a PIN verifies it, and no other', async t => {
  const { ask } = await running(t)
  const account = '111111111111'
  const zpk = under('001', ZPK)
  const tpk = under('002', ZPK)
  const pvk = under('002', TPK)
  const single = under('002', '0123456789ABCDEF')
  const table = 'FD64FC3FAD504BB3'
  const ibm = `${table}12345N789012`
  const blockOf = async (pin: string) => (await ask(`JG${zpk}01${account}0${pin}`))?.slice(4) ?? ''
  const right = await blockOf('1234')
  const wrong = await blockOf('1235')
  const dukpt = 'A05FFFF9876543210E00003'
  const bdk = under('009', TPK)
  const onDevice = async (pin: string) =>
    (await ask(`CC${zpk}*${bdk}${dukpt}12${await blockOf(pin)}0101${account}`))?.slice(6, -2) ?? ''
  const pvv = (await ask(`DG${pvk}01234${account}1`))?.slice(4) ?? ''
  t.equal((await ask(`FW001${zpk}${pvk}${right}01${account}1`))?.slice(4), pvv, 'FW agrees with DG')
  const offset = (await ask(`DE${pvk}0123404${account}${ibm}`))?.slice(4) ?? ''
  t.match(offset, /^\d{4}F{8}$/)
  t.equal((await ask(`DE${single}0123404${account}${ibm}`))?.slice(2, 4), '00')
  t.equal(
    (await ask(`BK001${zpk}${pvk}${right}0104${account}${ibm}`))?.slice(4),
    offset,
    'BK agrees with DE',
  )
  t.equal(await ask(`EE${pvk}${offset}04${account}${ibm}`), 'EF0201234')
  const rows: [title: string, good: string, bad: string, ok: string][] = [
    [
      'EC',
      `EC${zpk}${pvk}${right}01${account}1${pvv}`,
      `EC${zpk}${pvk}${wrong}01${account}1${pvv}`,
      '00',
    ],
    [
      'DC',
      `DC${tpk}${pvk}${right}01${account}1${pvv}`,
      `DC${tpk}${pvk}${right}01${account}2${pvv}`,
      '00',
    ],
    [
      'EA',
      `EA${zpk}${pvk}12${right}0104${account}${ibm}${offset}`,
      `EA${zpk}${pvk}12${wrong}0104${account}${ibm}${offset}`,
      '02',
    ],
    [
      'DA',
      `DA${tpk}${pvk}12${right}0104${account}${ibm}${offset}`,
      `DA${tpk}${single}12${wrong}0104${account}${ibm}${offset}`,
      '02',
    ],
    [
      'CM',
      `CM${bdk}${pvk}${dukpt}${await onDevice('1234')}${account}1${pvv}`,
      `CM${bdk}${pvk}${dukpt}${await onDevice('1235')}${account}1${pvv}`,
      '00',
    ],
    [
      'CK',
      `CK${bdk}${pvk}${dukpt}${await onDevice('1234')}04${account}${ibm}${offset}`,
      `CK${bdk}${pvk}${dukpt}${await onDevice('4321')}04${account}${ibm}${offset}`,
      '00',
    ],
    [
      'GQ',
      `GQ0${bdk}${pvk}${dukpt}${await onDevice('1234')}01${account}1${pvv}`,
      `GQ0${bdk}${pvk}${dukpt}${await onDevice('4321')}01${account}1${pvv}`,
      '00',
    ],
    [
      'GO',
      `GO0${bdk}${pvk}${dukpt}${await onDevice('1234')}0104${account}${ibm}${offset}`,
      `GO0${bdk}${pvk}${dukpt}${await onDevice('4321')}0104${account}${ibm}${offset}`,
      '02',
    ],
  ]
  for (const [title, good, bad, ok] of rows) {
    t.equal((await ask(good))?.slice(2), ok, title)
    t.equal((await ask(bad))?.slice(2), '01', `${title}, another PIN or key number`)
  }
  const made = (await ask(`GW41${bdk}${dukpt}0005hello`))?.slice(4) ?? ''
  t.equal(await ask(`GW11${bdk}${dukpt}${made}0005hello`), 'GX00')
  t.equal(await ask(`GW11${bdk}${dukpt}${made}0005hellO`), 'GX01')
  const withMac = `GQ011${bdk}${pvk}${dukpt}${await onDevice('1234')}01${account}1${pvv}${made}0005`
  t.equal(await ask(`${withMac}hello`), 'GR0000', 'PIN and MAC')
  t.equal(await ask(`${withMac}hellO`), 'GR0001', 'PIN but not the MAC')
  const newPvv = (await ask(`CU001${zpk}${pvk}${right}01${account}1${pvv}${wrong}`))?.slice(4) ?? ''
  t.equal((await ask(`EC${zpk}${pvk}${wrong}01${account}1${newPvv}`))?.slice(2), '00')
  t.equal((await ask(`CU001${zpk}${pvk}${wrong}01${account}1${pvv}${right}`))?.slice(2), '01')
  const newOffset = (
    await ask(`DU001${zpk}${pvk}${right}0104${account}${ibm}${offset}${wrong}`)
  )?.slice(4)
  t.equal((await ask(`EA${zpk}${pvk}12${wrong}0104${account}${ibm}${newOffset}`))?.slice(2), '02')
  const strict = await running(t, { clearTables: false })
  const inClear = `EE${pvk}${offset}04${account}012345678901234512345N789012`
  t.equal((await strict.ask(inClear))?.slice(2), '25', 'a table in clear where that is forbidden')
  t.equal((await ask(inClear))?.slice(2), '0201234', 'and where it is not')
})

t.test('a MAC in parts is the MAC in one', async t => {
  const { ask } = await running(t)
  const tdes = under('003', TPK)
  const aes = block('02', ZPK, { usage: 'M6', algorithm: 'A' })
  const text = 'Now is the time for all good men to come to the aid of the party'
  const rows: [title: string, algorithm: string, padding: string, type: string, key: string][] = [
    ['algorithm 1, padding 1', '1', '1', '003', tdes],
    ['algorithm 1, padding 2', '1', '2', '003', tdes],
    ['algorithm 3, padding 1', '3', '1', '003', tdes],
    ['algorithm 3, padding 2', '3', '2', '003', tdes],
    ['CMAC under TDES', '6', '0', '003', tdes],
    ['CBC-MAC under AES', '5', '1', 'FFF', aes],
    ['CMAC under AES', '6', '0', 'FFF', aes],
  ]
  const length = (part: string) => part.length.toString(16).padStart(4, '0') + part
  for (const [title, algorithm, padding, type, key] of rows) {
    for (const end of [text.length, text.length - 3]) {
      const say = (mode: string, iv: string, part: string) =>
        ask(`M6${mode}01${algorithm}${padding}${type}${key}${iv}${length(part)}`)
      const whole = (await say('0', '', text.slice(0, end)))?.slice(4)
      const first = (await say('1', '', text.slice(0, 16)))?.slice(4) ?? ''
      const middle = (await say('2', first, text.slice(16, 48)))?.slice(4) ?? ''
      t.equal((await say('3', middle, text.slice(48, end)))?.slice(4), whole, title)
      const verify = `M8001${algorithm}${padding}${type}${key}${length(text.slice(0, end))}`
      t.equal(await ask(verify + whole), 'M900')
      t.equal(await ask(`${verify}${'0'.repeat(16)}`), 'M901')
    }
  }
})

t.test('MACs of the standard come out through the commands', async t => {
  const { ask } = await running(t)
  const K1 = '0123456789ABCDEF'
  const rows: [key: string, algorithm: string, padding: string, data: string, mac: string][] = [
    [K1, '1', '1', 'Now is the time for all ', '70A30640CC76DD8B'],
    [K1, '1', '2', 'Now is the time for all ', '10E1F0F108341B6D'],
    [K1, '1', '3', 'Now is the time for all ', '2C58FB8FF12AAEAC'],
    [K1, '1', '1', 'Now is the time for it', 'E45B3AD2B7CC0856'],
    [TPK, '3', '1', 'Now is the time for all ', 'A1C72E74EA3FA9B6'],
    [TPK, '3', '2', 'Now is the time for it', '5A692CE64F404145'],
    [TPK, '3', '3', 'Now is the time for it', 'C59F7EED328DDD69'],
  ]
  for (const [key, algorithm, padding, data, mac] of rows) {
    const length = data.length.toString(16).padStart(4, '0')
    const answer = await ask(`M6021${algorithm}${padding}003${under('003', key)}${length}${data}`)
    t.equal(answer, `M700${mac}`, `${algorithm}, ${padding}: ${data}`)
  }
  const cmacKey = block('02', '2B7E151628AED2A6ABF7158809CF4F3C', { usage: 'M6', algorithm: 'A' })
  const answer = await ask(`M601160FFF${cmacKey}00206BC1BEE22E409F96E93D7E117393172A`)
  t.equal(answer, 'M700070A16B46B4D4144')
})

t.test('data comes back from under its key, in every mode and form', async t => {
  const { ask } = await running(t)
  const keys: [type: string, key: string, blockBytes: number][] = [
    ['00B', under('00B', TPK), 8],
    ['FFF', block('02', ZPK, { usage: 'D0', algorithm: 'A' }), 16],
    ['009', `${under('009', TPK)}A05FFFF9876543210E00003`, 8],
  ]
  const clear = 'All good things come in blocks. '
  for (const [type, key, blockBytes] of keys) {
    for (const mode of ['00', '01', '02', '03']) {
      const iv = mode === '00' ? '' : '0'.repeat(2 * blockBytes)
      const out = (await ask(`M0${mode}21${type}${key}${iv}0020${clear}`))?.slice(4) ?? ''
      const data = out.slice(iv.length)
      t.equal(data.slice(0, 4), '0040')
      t.notMatch(Buffer.from(data.slice(4), 'hex').toString('latin1'), clear)
      const back = await ask(`M2${mode}12${type}${key}${iv}${data}`)
      t.equal(back?.slice(4 + iv.length), `0020${clear}`, `${type} ${mode}`)
      if (mode === '00') continue
      const next = out.slice(0, iv.length)
      const two = (await ask(`M0${mode}21${type}${key}${next}0020${clear}`))?.slice(4) ?? ''
      const twice = (await ask(`M0${mode}21${type}${key}${iv}0040${clear}${clear}`))?.slice(4) ?? ''
      t.equal(twice.slice(iv.length + 4), data.slice(4) + two.slice(iv.length + 4), 'in two pieces')
    }
  }
})

/** Every known request, and one made up for each command that has none among them. */
function samples(): string[] {
  const known = pairs().map(({ request }) => request)
  const rest = CODES.filter(code => !known.some(request => request.startsWith(code)))
  const made = rest.map(code => {
    const [values] = fc.sample(anyRequest(code), { numRuns: 1, seed: 5 })
    return writeRequest(code, values as never)
  })
  // What changes the box for everyone after it has tests of its own.
  return [...known, ...made].filter(request => !/^(?:RA|LG)/.test(request))
}

/** An answer to that request with an error code of the table. */
function isAnswer(request: string, answer: string | undefined): boolean {
  const code = request.slice(0, 2)
  return answer?.slice(0, 2) === responseCodeOf(code) && isHostCode(answer.slice(2, 4))
}

t.test('every command cut at every byte is answered, and the box goes on', async t => {
  const { talk, ask } = await running(t, { clearPins: true })
  for (const request of samples()) {
    const cut = Array.from({ length: request.length - 2 }, (_, index) =>
      request.slice(0, index + 2),
    )
    talk.say(...cut.map(message => `0001${message}`))
    const wrong: string[] = []
    const codes = new Set<string>()
    for (const message of cut) {
      const answer = (await talk.next())?.slice(4)
      if (!isAnswer(message, answer) || answer?.slice(2, 4) === '41')
        wrong.push(`${message} → ${answer}`)
      codes.add(answer?.slice(2, 4) ?? '')
    }
    t.same(wrong, [], `${request.slice(0, 2)}: ${[...codes].join(' ')}`)
  }
  t.match(await ask('NC'), /^ND00/)
})

t.test(
  'a message without a command, and a stream that is none, end their connection only',
  async t => {
    const { port, ask } = await running(t)
    const rows: [title: string, bytes: Uint8Array][] = [
      ['a header and nothing else', frame('0001')],
      ['half of a command code', frame('0001N')],
      ['an empty frame', Buffer.from([0, 0])],
      ['good, then empty', Buffer.concat([frame('0001NC'), Buffer.from([0, 0]), frame('0002NC')])],
    ]
    for (const [title, bytes] of rows) {
      const talk = await Talk.open(port)
      talk.send(bytes)
      if (title === 'good, then empty') t.match(await talk.next(), /^0001ND00/)
      t.equal(await talk.next(), undefined, title)
      t.match(await ask('NC'), /^ND00/)
    }
  },
)

t.test('whatever is done to requests, there is a known answer or a clean close', async t => {
  const { port, simulator, ask } = await running(t, { clearPins: true })
  const known = samples()
  const anyByte = fc.integer({ min: 0, max: 255 })
  const change = fc.record({
    at: fc.nat(400),
    byte: anyByte,
    how: fc.constantFrom('replace', 'insert', 'remove', 'swap', 'repeat'),
  })
  const mutated = fc
    .tuple(fc.constantFrom(...known), fc.array(change, { minLength: 1, maxLength: 5 }))
    .map(([request, changes]) => changes.reduce(changed, request))
    // These two would change the box for the requests after them.
    .filter(request => request.length >= 2 && !/^(?:RA|LG)/.test(request))
  await fc.assert(
    fc.asyncProperty(fc.array(mutated, { minLength: 1, maxLength: 40 }), async requests => {
      const talk = await Talk.open(port)
      talk.say(...requests.map(request => `0001${request}`))
      for (const request of requests) {
        const answer = (await talk.next())?.slice(4)
        if (!isAnswer(request, answer)) throw new Error(`${request} → ${answer}`)
        if (answer?.slice(2, 4) === '41') throw new Error(`${request} → a fault of the box`)
      }
      talk.end()
    }),
    { numRuns: 150, endOnFailure: true },
  )
  t.match(await ask('NC'), /^ND00/)
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 2000 })
  await fc.assert(
    fc.asyncProperty(garbage, async bytes => {
      const talk = await Talk.open(port)
      talk.send(bytes)
      talk.end()
    }),
    { numRuns: 100 },
  )
  t.match(await ask('NC'), /^ND00/)
  t.ok(simulator.connections >= 1)
})

function changed(
  request: string,
  { at, byte, how }: { readonly at: number; readonly byte: number; readonly how: string },
): string {
  const index = request.length === 0 ? 0 : at % request.length
  const [before, after] = [request.slice(0, index), request.slice(index)]
  const character = String.fromCharCode(byte)
  switch (how) {
    case 'insert':
      return before + character + after
    case 'remove':
      return before + after.slice(1)
    case 'swap':
      return before + after.slice(1, 2) + after.slice(0, 1) + after.slice(2)
    case 'repeat':
      return before + after.slice(0, 20) + after
    default:
      return before + character + after.slice(1)
  }
}

t.test('the largest frames, and answers that would be larger', async t => {
  const { ask } = await running(t)
  const most = 65_535 - 4 - 2
  const echo = 'x'.repeat(most - 4)
  t.equal(await ask(`B2${echo.length.toString(16).toUpperCase()}${echo}`), `B300${echo}`)
  const key = under('00B', TPK)
  const large = 'y'.repeat(40_000)
  t.equal(await ask(`M0000100B${key}9C40${large}`), 'M180', 'twice as long in hexadecimal')
  t.equal((await ask(`M0000000B${key}9C40${large}`))?.length, 4 + 4 + 40_000)
  t.equal((await ask(`M600011003${under('003', TPK)}9C40${large}`))?.length, 4 + 8)
})

t.test('limits: connections, unfinished frames, idleness, peers that do not read', async t => {
  const { port, talk } = await running(t, {
    connectionsMax: 2,
    frameTimeoutMs: 50,
    bytesPendingMax: 1000,
  })
  t.match(await talk.ask('0001NC'), /^0001ND00/)
  const second = await Talk.open(port)
  t.match(await second.ask('0001NC'), /^0001ND00/)
  const third = await Talk.open(port)
  t.equal(await third.next(), undefined, 'one connection too many is closed')
  second.send(Buffer.from([0, 100, 1]))
  t.equal(await second.next(), undefined, 'a frame that is never finished ends its connection')
  const deaf = connect({ host: '127.0.0.1', port })
  const closed = new Promise(resolve => deaf.once('close', resolve))
  deaf.on('error', () => {})
  const request = frame(`0001B2F000${'x'.repeat(0xf000)}`)
  for (let i = 0; i < 200; i++) deaf.write(request)
  t.match(await talk.ask('0001NC'), /^0001ND00/, 'nobody else waits for one that does not read')
  await closed
  t.pass('who does not read what he asked for is hung up on')
  const idle = await running(t, { idleTimeoutMs: 50 })
  t.equal(await idle.talk.next(), undefined, 'and so does saying nothing')
})

t.test('a delay holds answers back and keeps their order', async t => {
  const { talk, simulator, port } = await running(t)
  t.equal(await talk.ask('0001LG002'), '0001LH00')
  const headers = Array.from({ length: 100 }, (_, index) => String(index).padStart(4, '0'))
  talk.say(...headers.map(header => `${header}NC`))
  for (const header of headers) t.equal((await talk.next())?.slice(0, 8), `${header}ND00`)
  talk.say('0001NC', '0002NC')
  const other = await Talk.open(port)
  const closed = other.next()
  await simulator.stop()
  t.equal(await closed, undefined, 'the end of the box ends its connections')
})

t.test('a port in use is told', async t => {
  const { port } = await running(t)
  await t.rejects(payShieldSimulator({ port }).start(), { code: 'PORT_TAKEN' })
})
