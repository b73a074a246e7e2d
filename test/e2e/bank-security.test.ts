import { test } from 'tap'
import { NadiError, SystemClock } from '#base'
import type { PaymentHsm, SoftHsm } from '#hsm'
import { MemoryJournal, MemoryStore } from '#journal'
import { NO_OBSERVER } from '#switch'
import { NO_LOG } from '#telemetry'
import { clearKey } from '../switch/zone.ts'
import { BankLab } from './bank-lab.ts'

const CARD = {
  pan: '4999111122223333',
  pin: '4711',
  track2: '4999111122223333=30121010000012345678',
}
const HOLD = 'hold'
const CAUSE = { by: 'ani', why: 'ticket 4711' }

/** All of it, or one operation. */
type Cut = (away: boolean | string) => void

/** An HSM whose line can be cut: everything fails at once, as it does when a box is gone. */
function cuttable(hsm: SoftHsm): { hsm: PaymentHsm; cut: Cut } {
  let away: boolean | string = false
  const guarded = new Proxy(hsm, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...given: unknown[]) =>
        away === true || away === name
          ? Promise.reject(new NadiError('HSM_UNAVAILABLE', { hint: 'the line is cut' }))
          : (member as (...given: unknown[]) => unknown).apply(target, given)
    },
  })
  return { hsm: guarded, cut: to => (away = to) }
}

test('a bank channel, the switch, and a bank that checks the PIN', async t => {
  const clock = new SystemClock()
  const journal = new MemoryJournal({ clock, store: new MemoryStore() })
  const line: { cut: Cut } = { cut: () => {} }
  const lab = await BankLab.start({
    journal,
    observer: NO_OBSERVER,
    log: NO_LOG,
    before: hsm => {
      const made = cuttable(hsm)
      line.cut = made.cut
      return made.hsm
    },
  })
  t.teardown(() => lab.end())
  const { channel, bank } = lab
  await lab.issue(CARD.pan, CARD.pin)
  const money = async (account: string): Promise<bigint> => {
    const found = (await journal.balances()).find(one => one.account === account)
    return found?.balanceMinor ?? 0n
  }
  let customers = 0
  const quote = async () => {
    // Three zeros at the end: the bank plays no scenario.
    const customer = `9999${String(++customers).padStart(6, '0')}000`
    const answer = await channel.inquire(CARD, customer)
    t.equal(answer?.get(39), '00', `an inquiry for ${customer}`)
    if (!answer) throw new Error('no quote')
    return answer
  }

  await t.test('the right PIN pays', async t => {
    const paid = await channel.pay(await quote(), CARD)
    t.equal(paid?.get(39), '00')
    t.equal(paid?.has(52), false, 'no PIN comes back')
    t.equal(bank.counts.pins, 1)
    t.equal(bank.counts.wrongPins, 0)
    t.equal(await money(HOLD), 0n)

    const taken = paid && (await channel.reverse(paid, CARD))
    t.equal(taken?.get(39), '00', 'and is taken back without any PIN')
  })

  await t.test('a wrong PIN is declined, and the money is free', async t => {
    const before = await money('deposit')
    const asked = await quote()
    const no = await channel.pay(asked, { ...CARD, pin: '0815' })
    t.equal(no?.get(39), '55')
    t.equal(await money('deposit'), before)
    t.equal(await money(HOLD), 0n)
    const none = await channel.pay(await quote(), CARD, draft => void draft.set(52, 'FF'.repeat(8)))
    t.equal(none?.get(39), '63', 'what was changed on its way has no MAC that holds')
  })

  await t.test('a block without a PIN in it is told like a wrong PIN', async t => {
    const seen = bank.counts.pins
    const other = await channel.pay(await quote(), { pan: CARD.pan, pin: 'ABCD' })
    t.equal(other?.get(39), '55')
    t.equal(bank.counts.pins, seen, 'and it never reached the bank')
    t.equal(await money(HOLD), 0n)
  })

  await t.test('a bad MAC is refused in the dialect, and counted', async t => {
    const counts = () => lab.wired.securities.get('channel')?.counts
    const asked = await quote()
    const changed = await channel.pay(asked, CARD, draft => void draft.set(4, '000000000100'))
    t.equal(changed?.get(39), '63')
    const without = await channel.pay(asked, CARD, draft => void draft.remove(128))
    t.equal(without?.get(39), '63')
    t.match(counts(), { missing: 1 })
    t.ok((counts()?.wrong ?? 0) >= 2)
    t.equal(channel.badMacs, 0, 'each answer had a MAC of ours that held')
  })

  await t.test('keys change under traffic, from every side, and nothing fails', async t => {
    const wrongBefore = bank.counts.wrongPins
    const shops = { open: true }
    const outcomes: (string | undefined)[] = []
    const shop = async (): Promise<void> => {
      while (shops.open) {
        const asked = await quote()
        const answer = await channel.pay(asked, CARD)
        outcomes.push(answer?.get(39))
      }
    }
    const shopping = [shop(), shop(), shop(), shop()]
    const exchange = (name: string) => lab.wired.securities.get(name)?.exchange
    const changes: [string, () => Promise<unknown>][] = [
      ['the bank gives a ZAK', () => bank.give('ZAK')],
      ['the bank gives a ZPK', () => bank.give('ZPK')],
      ['the switch gives the bank a ZAK', async () => exchange('bank')?.rotate('ZAK', CAUSE)],
      ['the switch gives the bank a ZPK', async () => exchange('bank')?.rotate('ZPK', CAUSE)],
      ['the channel gives a ZAK', () => channel.give('02', clearKey())],
      ['the channel gives a ZPK', () => channel.give('01', clearKey())],
      ['the switch gives the channel a ZAK', async () => exchange('channel')?.rotate('ZAK', CAUSE)],
    ]
    for (const [title, change] of changes) {
      const agreed = lab.rings.bank.agreed + lab.rings.channel.agreed
      const paid = outcomes.length
      t.not(await change(), '12', title)
      t.equal(lab.rings.bank.agreed + lab.rings.channel.agreed, agreed + 1, `${title}: once`)
      while (outcomes.length < paid + 4)
        await new Promise(resolve => {
          setTimeout(resolve, 5)
        })
    }
    shops.open = false
    await Promise.all(shopping)
    t.ok(outcomes.length >= changes.length * 4)
    t.same(
      outcomes.filter(code => code !== '00'),
      [],
    )
    t.equal(channel.badMacs, 0)
    t.match(bank.counts, { badMacs: 0, keys: 2, wrongPins: wrongBefore })
    t.match(lab.wired.securities.get('bank')?.counts, { wrong: 0, taken: 2, given: 2 })
  })

  await t.test('a wrong check value is refused, and the key stays as it was', async t => {
    const before = lab.rings.bank.checkValue('ZPK')
    t.equal(await bank.give('ZPK', '000000'), false)
    t.equal(await channel.give('02', clearKey(), 'FFFFFF'), '12')
    t.equal(lab.rings.bank.checkValue('ZPK'), before)
    t.equal((await channel.pay(await quote(), CARD))?.get(39), '00')
  })

  await t.test('the HSM is cut off, and comes back', async t => {
    const asked = await quote()
    const seen = bank.counts.macs
    const before = await money('deposit')
    line.cut(true)
    const no = await channel.pay(asked, CARD)
    t.equal(no?.get(39), '91', 'an immediate proper no')
    t.equal(no?.has(128), false, 'that nobody could protect')
    t.equal(bank.counts.macs, seen, 'nothing was sent')
    t.equal(await money('deposit'), before)
    line.cut(false)
    t.equal((await channel.pay(asked, CARD))?.get(39), '00', 'the same again is paid')
    channel.badMacs = 0
  })

  await t.test(
    'the HSM fails on the way to the bank: a no with its MAC, and the money is free',
    async t => {
      for (const operation of ['translatePin', 'generateMac']) {
        const asked = await quote()
        const seen = bank.counts.macs
        const before = await money('deposit')
        line.cut(operation)
        const answer = channel.pay(asked, CARD)
        if (operation === 'generateMac')
          while ((lab.wired.securities.get('channel')?.counts.unsealed ?? 0) === 0)
            await new Promise(resolve => {
              setTimeout(resolve, 5)
            })
        else t.equal((await answer)?.get(39), '91')
        line.cut(false)
        t.equal(bank.counts.macs, seen, `${operation}: nothing was sent`)
        t.equal(await money('deposit'), before)
        t.equal(await money(HOLD), 0n)
      }
      t.equal(channel.badMacs, 0)
      t.match(lab.wired.securities.get('bank')?.counts, { unsealed: 2 })
    },
  )

  await t.test('the books agree', async t => {
    const { problems } = await journal.audit()
    t.same(problems, [])
  })
})
