import { isNadiError, type AmountMinor, localTime } from '#base'
import type { Message } from '#message'
import { RECOVERY_KINDS } from '#pack'
import type { Payment } from '#sim'
import type { Manner, Mouth, Said } from './mouth.ts'
import type { CaseReport, Crossed, Verdict } from './report.ts'
import type { Subject } from './subjects.ts'

/** What a probe works with: a line, and customers of the counterpart that it may ask and pay for. */
export type ProbeTools = {
  readonly mouth: Mouth
  readonly subject: Subject
  readonly http: boolean
  readonly signsOn: boolean
  readonly hasSecret: boolean
  /** A request of ours: audit number, time, identity and reference are put on it. */
  readonly stamp: (message: Message) => Message
  /** Over HTTP: whether a request has a body that can be spoilt; a query has none. */
  readonly hasBody: (message: Message) => boolean
  /** Both are said in the same bytes. */
  readonly sameWords: (one: Message, other: Message) => boolean
  /** A number that may be asked about as often as one likes. */
  readonly number: string
  /** One that nobody has paid for yet; undefined when there are no more. */
  readonly fresh: () => string | undefined
  /** What the counterpart's book has of a number, where it can be looked into. */
  readonly book: ((number: string) => readonly Payment[]) | undefined
}

type Found = Pick<CaseReport, 'verdict' | 'end' | 'remarks' | 'crossed'>

export type Probe = {
  readonly name: string
  readonly text: string
  readonly over: 'both' | 'frames' | 'http'
  readonly run: (tools: ProbeTools) => Promise<Found>
}

/** What we do to a counterpart, and what it must not fall for. */
export const PROBES: readonly Probe[] = [
  probe('asks', 'an inquiry is answered with what is owed', 'both', async tools =>
    expectYes(await ask(tools, tools.number)),
  ),
  probe(
    'asks-nobody',
    'an inquiry about a number that nobody has is refused',
    'both',
    async tools =>
      tools.subject.unasked
        ? left('this product is bought unasked')
        : expectNo(await ask(tools, '0'.repeat(tools.number.length)), 'an unknown number'),
  ),
  probe('pays-twice', 'the same payment twice at once is done once', 'both', async tools =>
    paying(tools, async (pays, number) => {
      const said = await tools.mouth.say(pays, 'twice')
      const yes = said.answers.filter(isYes).length
      const wrong = yes === 0 ? ['neither of the two was answered with a yes'] : []
      return { said, wrong: [...wrong, ...paidMoreThan(tools, number, 1)], end: `${yes} of 2 yes` }
    }),
  ),
  probe(
    'pays-too-much',
    'a payment of one rupiah more than was told is refused',
    'both',
    async tools =>
      paying(
        tools,
        async (pays, number) => {
          const amountMinor = ((pays.amountMinor ?? 0n) + 100n) as AmountMinor
          if (tools.sameWords(pays, { ...pays, amountMinor })) return undefined
          const said = await tools.mouth.say({ ...pays, amountMinor })
          const wrong = said.answers.some(isYes) ? ['it was taken'] : paidMoreThan(tools, number, 0)
          return { said, wrong, end: endOf(said) }
        },
        true,
      ),
  ),
  probe(
    'pays-and-hangs-up',
    'a payment whose line breaks can be found out about',
    'both',
    async tools =>
      paying(tools, async (pays, number) => {
        const first = await tools.mouth.say(pays, 'hung-up')
        const said = await tools.mouth.say(askingAbout(tools, pays))
        const meaning = said.answers[0]?.outcome?.meaning
        const known = ['approved', 'declined', 'nothing', 'stands'].includes(meaning ?? '')
        const wrong = known ? [] : [`what became of it is not told (${meaning ?? 'no answer'})`]
        const crossed = [...first.crossed, ...said.crossed]
        return {
          said: { ...said, crossed },
          wrong: [...wrong, ...paidMoreThan(tools, number, 1)],
          end: endOf(said),
        }
      }),
  ),
  probe(
    'cut-short',
    'a request that ends in its middle is refused, and the next one is answered',
    'both',
    async tools => bad(tools, 'cut-short'),
  ),
  probe('misnamed', 'a body of another content type is refused', 'http', async tools =>
    bad(tools, 'misnamed'),
  ),
  probe('forged', 'a request with secrets that are not ours is refused', 'http', async tools =>
    tools.hasSecret ? bad(tools, 'forged') : left('the dialect has no secret'),
  ),
  probe('unsigned', 'business before a sign-on is refused', 'frames', async tools =>
    tools.signsOn ? bad(tools, 'unsigned') : left('the dialect has no sign-on'),
  ),
  probe('byte-by-byte', 'a request in packets of one byte is answered', 'frames', async tools =>
    expectYes(await tools.mouth.say(asks(tools, tools.number), 'byte-by-byte')),
  ),
  probe('merged', 'two requests in one packet are both answered', 'frames', async tools => {
    const said = await tools.mouth.say(asks(tools, tools.number), 'twice')
    const yes = said.answers.filter(isYes).length
    return found(said, yes === 2 ? [] : [`${yes} of 2 were answered`], `${yes} answers`)
  }),
  probe('lying-length', 'a frame whose header lies harms nobody else', 'frames', async tools =>
    bad(tools, 'lying-length'),
  ),
  probe('half', 'half a frame harms nobody else', 'frames', async tools => bad(tools, 'half')),
]

function probe(name: string, text: string, over: Probe['over'], run: Probe['run']): Probe {
  return {
    name,
    text,
    over,
    async run(tools) {
      try {
        return await run(tools)
      } catch (error) {
        if (!isNadiError(error)) throw error
        return left(`the dialect cannot say it: ${error.message}`)
      }
    },
  }
}

function asks({ subject, stamp }: ProbeTools, number: string): Message {
  const { product, unasked, buysMinor } = subject
  return stamp({
    ...subject.withNumber(number),
    ...(unasked && buysMinor !== undefined && { amountMinor: buysMinor }),
    kind: unasked ? 'payment' : 'inquiry',
    direction: 'request',
    repeat: false,
    product,
    trace: '',
    sentAt: localTime(0),
  })
}

function ask(tools: ProbeTools, number: string): Promise<Said> {
  return tools.mouth.say(asks(tools, number))
}

type Paid = { readonly said: Said; readonly wrong: readonly string[]; readonly end: string }

/** Asks for what is owed and makes the payment of it, for a number of its own. */
async function paying(
  tools: ProbeTools,
  pay: (pays: Message, number: string) => Promise<Paid | undefined>,
  toldAmount = false,
): Promise<Found> {
  const { subject, stamp } = tools
  if (toldAmount && subject.buysMinor !== undefined) return left('no amount is told beforehand')
  const number = tools.fresh()
  if (number === undefined) return left('needs one more number to pay for (--customer)')
  let crossed: readonly Crossed[] = []
  let pays = asks(tools, number)
  if (!subject.unasked) {
    const told = await ask(tools, number)
    crossed = told.crossed
    const answer = told.answers[0]
    if (!answer || !isYes(answer))
      return found(told, ['the inquiry before it was refused'], endOf(told))
    const { outcome: _, settlementDate: __, infoText: ___, ...quote } = answer
    const amountMinor = subject.buysMinor ?? answer.amountMinor
    pays = stamp({
      ...quote,
      kind: 'payment',
      direction: 'request',
      ...(amountMinor !== undefined && { amountMinor }),
      ...(quote.bills && { billsPaid: quote.bills.length }),
      ...(quote.token && { token: { ...quote.token, option: 0 } }),
    })
  }
  const paid = await pay(pays, number)
  if (!paid) return left('a payment of this dialect tells no amount')
  const { said, wrong, end } = paid
  return found({ ...said, crossed: [...crossed, ...said.crossed] }, wrong, end)
}

function askingAbout({ subject }: ProbeTools, pays: Message): Message {
  const { trace, sentAt, bank = '' } = pays
  const original = { kind: 'payment', trace, sentAt, bank } as const
  return { ...pays, kind: RECOVERY_KINDS[subject.recovery.policy], original }
}

const OF_BODIES: ReadonlySet<Manner> = new Set(['cut-short', 'misnamed'])

/** Something that must be refused; after it an honest inquiry must be answered as ever. */
async function bad(tools: ProbeTools, manner: Manner): Promise<Found> {
  const first = tools.subject.unasked ? tools.fresh() : tools.number
  if (first === undefined) return left('needs one more number to pay for (--customer)')
  const asked = asks(tools, first)
  if (OF_BODIES.has(manner) && !tools.hasBody(asked)) return left('its requests have no body')
  const said = await tools.mouth.say(asked, manner)
  const wrong = said.answers.some(isYes) ? ['it was taken as if it were good'] : []
  const next = tools.subject.unasked ? tools.fresh() : tools.number
  if (next === undefined) return found(said, wrong, endOf(said))
  const after = await ask(tools, next)
  const deaf = after.answers.some(isYes) ? [] : ['after it an honest request is not answered well']
  return found(
    { ...said, crossed: [...said.crossed, ...after.crossed] },
    [...wrong, ...deaf],
    `${endOf(said)}; then ${endOf(after)}`,
  )
}

function expectYes(said: Said): Found {
  const yes = said.answers.some(isYes)
  return found(said, yes ? [] : ['a yes was expected'], endOf(said))
}

function expectNo(said: Said, what: string): Found {
  const [answer] = said.answers
  if (!answer) return found(said, ['no answer that can be read'], endOf(said))
  return found(said, isYes(answer) ? [`${what} was taken`] : [], endOf(said))
}

function isYes(answer: Message | undefined): boolean {
  return answer?.outcome?.meaning === 'approved'
}

function paidMoreThan({ book }: ProbeTools, number: string, max: number): string[] {
  const paid = book?.(number).filter(({ state }) => state === 'paid').length ?? 0
  return paid > max ? [`their book has it paid ${paid} times`] : []
}

function endOf({ answers, closed }: Said): string {
  const [answer] = answers
  if (answer?.outcome) return `${answer.outcome.meaning} (${answer.outcome.reason})`
  if (answers.length > 0) return 'an answer that cannot be read'
  return closed === undefined ? 'silence' : `no answer (${closed})`
}

function found({ crossed }: Said, wrong: readonly string[], end: string): Found {
  const verdict: Verdict = wrong.length === 0 ? 'passed' : 'failed'
  return { verdict, end, remarks: wrong, crossed }
}

function left(why: string): Found {
  return { verdict: 'left', end: 'not tried', remarks: [why], crossed: [] }
}
