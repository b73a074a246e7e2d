import fc from 'fast-check'
import t from 'tap'
import {
  type Action,
  isFinal,
  moneyOf,
  next,
  type Policy,
  tell,
  type TxnEvent,
  type TxnState,
} from '#txn'

const policy = (recovery: Policy['recovery']): Policy => ({
  recovery,
  attemptsMax: 3,
  spacingMs: 35_000,
  answerTimeoutMs: 40_000,
  recoveryTimeoutMs: 30_000,
  reversalWindowMs: 86_400_000,
})

const received: TxnState = { tag: 'received' }
const sending: TxnState = { tag: 'sending', routes: ['pln'], signOns: 0, undo: false }
const twoRoutes: TxnState = { tag: 'sending', routes: ['pln', 'gsp'], signOns: 0, undo: false }
const undoing: TxnState = { tag: 'sending', routes: ['pln', 'gsp'], signOns: 0, undo: true }
const weary: TxnState = { tag: 'sending', routes: ['pln'], signOns: 2, undo: false }
const finding = { route: 'pln', attempts: 0, repeat: false, phase: 'waiting', signOns: 0 } as const
const unknown: TxnState = { tag: 'unknown', ...finding }
const asking: TxnState = { ...unknown, phase: 'asking', repeat: true }
const last: TxnState = { ...asking, attempts: 2 }
const reversing: TxnState = { ...asking, tag: 'reversing' }
const unwanted: TxnState = { ...asking, undo: true }
const held: TxnState = { tag: 'suspect', route: 'pln', money: 'held' }
const settled: TxnState = { tag: 'suspect', route: 'pln', money: 'settled' }
const paid: TxnState = { tag: 'paid', route: 'pln' }
const declined: TxnState = { tag: 'declined', reason: 'customer-unknown' }
const reversed: TxnState = { tag: 'reversed' }

type Row = [title: string, before: TxnState, event: TxnEvent, after: string, actions: string]

const admitted: TxnEvent = { tag: 'admitted', routes: ['pln', 'gsp'] }
const silence: TxnEvent = { tag: 'silence', why: 'deadline' }
const broken: TxnEvent = { tag: 'silence', why: 'broken' }
const no: TxnEvent = { tag: 'declined', reason: 'customer-unknown' }
const lateNo: TxnEvent = { tag: 'late-declined', reason: 'customer-unknown' }
const undo: TxnEvent = { tag: 'undo-asked', allowed: true }
const undoTooLate: TxnEvent = { tag: 'undo-asked', allowed: false }

const always: Row[] = [
  ['what is admitted is sent over the first route', received, admitted, 'sending', 'send pln'],
  ['what is refused is declined', received, { tag: 'refused', reason: 'cut-off' }, 'declined', ''],
  ['an approval is paid', sending, { tag: 'approved' }, 'paid', ''],
  ['a decline is declined', sending, no, 'declined', ''],
  ['silence is not a decline', sending, silence, 'unknown', 'wake 35000'],
  ['a broken link is not a decline', sending, broken, 'unknown', 'wake 35000'],
  ['an unclear answer is not a decline', sending, { tag: 'unclear' }, 'unknown', 'wake 35000'],
  ['after a crash it is found out at once', sending, { tag: 'restarted' }, 'unknown', 'wake 0'],
  ['not sent: the next route', twoRoutes, { tag: 'not-sent' }, 'sending', 'send gsp'],
  ['not sent, no route left: declined', sending, { tag: 'not-sent' }, 'declined', ''],
  ['not sent, and the partner gave up: declined', undoing, { tag: 'not-sent' }, 'declined', ''],
  ['sign on and send again', sending, { tag: 'sign-on-required' }, 'sending', 'send pln signed-on'],
  ['but not for ever', weary, { tag: 'sign-on-required' }, 'declined', ''],
  ['its time has come: the biller is asked', unknown, { tag: 'due' }, 'unknown asking', 'ask'],
  [
    'a second attempt is a repeat',
    { ...asking, phase: 'waiting' },
    { tag: 'due' },
    'unknown asking',
    'ask repeat',
  ],
  ['a timer that was overtaken asks nothing', asking, { tag: 'due' }, 'unknown asking', ''],
  [
    'no answer to the attempt: the next one later',
    asking,
    { tag: 'ask-silence' },
    'unknown waiting 1',
    'wake 35000',
  ],
  [
    'an unclear answer counts like none',
    asking,
    { tag: 'ask-unclear' },
    'unknown waiting 1',
    'wake 35000',
  ],
  [
    'what did not leave does not count',
    asking,
    { tag: 'ask-not-sent' },
    'unknown waiting 0',
    'wake 35000',
  ],
  ['attempts used up: a person must look', last, { tag: 'ask-silence' }, 'suspect held', ''],
  [
    'an attempt cut short by a crash does not count',
    last,
    { tag: 'restarted' },
    'unknown waiting 2',
    'wake 0',
  ],
  [
    'asked to sign on: sign on, ask again',
    asking,
    { tag: 'ask-sign-on-required' },
    'unknown asking',
    'ask repeat signed-on',
  ],
  ['the payment stands: paid', asking, { tag: 'stands' }, 'paid', ''],
  ['there is no such payment: declined', asking, { tag: 'nothing' }, 'declined', ''],
  ['a late no is a no', asking, lateNo, 'declined', ''],
  ['a person says paid', held, { tag: 'resolved', as: 'paid' }, 'paid', ''],
  ['a person says not paid', held, { tag: 'resolved', as: 'reversed' }, 'reversed', ''],
  ['a late word of the biller settles a suspect one', held, { tag: 'undone' }, 'reversed', ''],
  ['there is no such payment, said late', held, { tag: 'nothing' }, 'reversed', ''],
  [
    'they said paid, and now nothing: a person must look',
    settled,
    { tag: 'nothing' },
    'suspect settled',
    '',
  ],
  ['paid stays paid after a late no', paid, lateNo, 'paid', ''],
  ['paid stays paid after a late undone', paid, { tag: 'undone' }, 'paid', ''],
  ['paid stays paid outside the window', paid, undoTooLate, 'paid', ''],
  ['declined stays declined after a late yes', declined, { tag: 'late-approved' }, 'declined', ''],
  ['reversed stays reversed after a late yes', reversed, { tag: 'late-approved' }, 'reversed', ''],
  ['final is final, whoever resolves', reversed, { tag: 'resolved', as: 'paid' }, 'reversed', ''],
]

const reverse: Row[] = [
  [
    'a late yes changes nothing while we undo',
    asking,
    { tag: 'late-approved' },
    'unknown asking',
    '',
  ],
  ['the reversal was done', asking, { tag: 'undone' }, 'reversed', ''],
  ['the partner gives up while we wait', sending, undo, 'sending undo', ''],
  [
    'and then it is approved: it is undone',
    undoing,
    { tag: 'approved' },
    'reversing waiting 0',
    'wake 0',
  ],
  ['the partner undoes what is paid', paid, undo, 'reversing waiting 0', 'wake 0'],
  ['undone as the partner wished', reversing, { tag: 'undone' }, 'reversed', ''],
  ['too late to undo: it stays paid', reversing, { tag: 'stands', refused: true }, 'paid', ''],
  [
    'nothing to undo, though it was paid: a person must look',
    reversing,
    { tag: 'nothing' },
    'suspect settled',
    '',
  ],
  ['a late yes does not settle a suspect one', held, { tag: 'late-approved' }, 'suspect held', ''],
]

const advise: Row[] = [
  ['a late yes is the answer where we only ask', asking, { tag: 'late-approved' }, 'paid', ''],
  ['a late yes settles a suspect one', held, { tag: 'late-approved' }, 'paid', ''],
]

const token: Row[] = [
  ['a token is never reversed', paid, undo, 'paid', ''],
  ['not while it is on its way either', sending, undo, 'sending', ''],
  ['and not while it is unknown', asking, undo, 'unknown asking 0$', ''],
]

const refund: Row[] = [
  ['the partner takes back what is paid', paid, undo, 'reversing waiting 0', 'wake 0'],
  ['it gives up while we wait', sending, undo, 'sending undo', ''],
  [
    'and then it is approved: it is taken back',
    undoing,
    { tag: 'approved' },
    'reversing waiting 0',
    'wake 0',
  ],
  [
    'silence all the same: first it is asked about',
    undoing,
    silence,
    'unknown waiting 0 undo',
    'wake 35000',
  ],
  ['a crash all the same', undoing, { tag: 'restarted' }, 'unknown waiting 0 undo', 'wake 0'],
  ['it gives up while it is unknown', asking, undo, 'unknown asking 0 undo', ''],
  ['too late is too late', asking, undoTooLate, 'unknown asking 0$', ''],
  ['it stands, and is taken back', unwanted, { tag: 'stands' }, 'reversing waiting 0', 'wake 0'],
  [
    'a late yes, and it is taken back',
    unwanted,
    { tag: 'late-approved' },
    'reversing waiting 0',
    'wake 0',
  ],
  ['there is none: nothing to take back', unwanted, { tag: 'nothing' }, 'declined', ''],
  [
    'the wish outlasts an attempt',
    unwanted,
    { tag: 'ask-silence' },
    'unknown waiting 1 undo',
    'wake 35000',
  ],
  [
    'a refund is asked for',
    { ...reversing, phase: 'waiting' },
    { tag: 'due' },
    'reversing asking',
    'ask refund repeat',
  ],
  ['it was done', reversing, { tag: 'undone' }, 'reversed', ''],
  ['it was refused: it stays paid', reversing, { tag: 'stands', refused: true }, 'paid', ''],
  ['a late status check is no refusal', reversing, { tag: 'stands' }, 'reversing asking', ''],
]

for (const [name, rows] of [
  ['reverse', [...always, ...reverse]],
  ['advise', [...always, ...advise, ...token]],
  ['check', [...always, ...advise, ...refund]],
] as const)
  t.test(`by the policy ${name}`, async t => {
    for (const [title, before, event, after, actions] of rows) {
      const step = next(before, event, policy(name))
      t.match(describe(step.state), new RegExp(`^${after}`), title)
      t.equal(
        step.actions.map(action => describeAction(action, name)).join(', '),
        actions,
        `${title}: what is done`,
      )
    }
  })

function describe(state: TxnState): string {
  switch (state.tag) {
    case 'sending':
      return state.undo ? 'sending undo' : 'sending'
    case 'unknown':
    case 'reversing':
      return `${state.tag} ${state.phase} ${state.attempts}${'undo' in state ? ' undo' : ''}`
    case 'suspect':
      return `suspect ${state.money}`
    default:
      return state.tag
  }
}

function describeAction(action: Action, policy: Policy['recovery']): string {
  switch (action.tag) {
    case 'send':
      return `send ${action.route}${action.signOn ? ' signed-on' : ''}`
    case 'ask':
      return `ask${action.by === policy ? '' : ' refund'}${action.repeat ? ' repeat' : ''}${action.signOn ? ' signed-on' : ''}`
    case 'wake':
      return `wake ${action.afterMs}`
  }
}

const anEvent: fc.Arbitrary<TxnEvent> = fc.oneof(
  fc.constantFrom<TxnEvent>(
    admitted,
    silence,
    broken,
    no,
    lateNo,
    undo,
    undoTooLate,
    { tag: 'refused', reason: 'cut-off' },
    { tag: 'not-sent' },
    { tag: 'approved' },
    { tag: 'unclear' },
    { tag: 'sign-on-required' },
    { tag: 'late-approved' },
    { tag: 'due' },
    { tag: 'undone' },
    { tag: 'stands' },
    { tag: 'stands', refused: true },
    { tag: 'nothing' },
    { tag: 'ask-unclear' },
    { tag: 'ask-silence' },
    { tag: 'ask-not-sent' },
    { tag: 'ask-sign-on-required' },
    { tag: 'restarted' },
    { tag: 'resolved', as: 'paid' },
    { tag: 'resolved', as: 'reversed' },
  ),
)
const aPolicy = fc.constantFrom<Policy['recovery']>('reverse', 'advise', 'check')
const aRun = fc.array(anEvent, { maxLength: 40 })

t.test('however events fall', async t => {
  t.test('nothing is taken back to find out where a payment is only checked', async () => {
    fc.assert(
      fc.property(aRun, events => {
        let state: TxnState = received
        let known = false
        let wished = false
        for (const event of events) {
          const step = next(state, event, policy('check'))
          known ||= step.state.tag === 'paid' || step.state.tag === 'reversing'
          wished ||= event.tag === 'undo-asked' && event.allowed
          const asked = step.actions.find(action => action.tag === 'ask')
          if (asked?.by === 'reverse' && !(known && wished)) return false
          if (asked && asked.by !== 'reverse' && step.state.tag !== 'unknown') return false
          state = step.state
        }
        return true
      }),
    )
  })

  t.test('what is declined or reversed never changes, and paid only to be reversed', async () => {
    fc.assert(
      fc.property(aPolicy, aRun, (recovery, events) => {
        let state: TxnState = received
        for (const event of events) {
          const after: TxnState = next(state, event, policy(recovery)).state
          if (isFinal(state) && after !== state)
            return state.tag === 'paid' && after.tag === 'reversing' && recovery !== 'advise'
          state = after
        }
        return true
      }),
    )
  })

  t.test('the payment is sent again only after not-sent or a wish for a sign-on', async () => {
    fc.assert(
      fc.property(aPolicy, aRun, (recovery, events) => {
        let state: TxnState = received
        for (const event of events) {
          const step = next(state, event, policy(recovery))
          const sends = step.actions.filter(action => action.tag === 'send').length
          if (sends > 1) return false
          if (sends === 1 && !['admitted', 'not-sent', 'sign-on-required'].includes(event.tag))
            return false
          state = step.state
        }
        return true
      }),
    )
  })

  t.test('money that is held is never free without a word that it was not done', async () => {
    fc.assert(
      fc.property(aPolicy, aRun, (recovery, events) => {
        let state: TxnState = received
        for (const event of events) {
          const after: TxnState = next(state, event, policy(recovery)).state
          if (moneyOf(state) !== 'free' && moneyOf(after) === 'free') {
            const words = [
              'declined',
              'not-sent',
              'sign-on-required',
              'late-declined',
              'undone',
              'nothing',
              'resolved',
            ]
            if (!words.includes(event.tag)) return false
          }
          state = after
        }
        return true
      }),
    )
  })

  t.test(
    'every state that is not final has a next step: a timer, an answer or a person',
    async () => {
      fc.assert(
        fc.property(aPolicy, aRun, (recovery, events) => {
          let state: TxnState = received
          for (const event of events) {
            const step = next(state, event, policy(recovery))
            const waits = 'phase' in step.state && step.state.phase === 'waiting'
            const began = waits && !('phase' in state && state.phase === 'waiting')
            if (began && !step.actions.some(action => action.tag === 'wake')) return false
            state = step.state
          }
          return true
        }),
      )
    },
  )

  t.test(
    'asking without an answer ends with a person after as many attempts as the policy says',
    async () => {
      fc.assert(
        fc.property(aPolicy, fc.integer({ min: 1, max: 9 }), (recovery, attemptsMax) => {
          const patient = { ...policy(recovery), attemptsMax }
          let state: TxnState = unknown
          for (let attempt = 0; attempt < attemptsMax; attempt++) {
            if (state.tag !== 'unknown') return false
            state = next(state, { tag: 'due' }, patient).state
            state = next(state, { tag: 'ask-silence' }, patient).state
          }
          return state.tag === 'suspect'
        }),
      )
    },
  )
})

t.test('who asks is told what the state allows', async t => {
  const rows: [state: TxnState, payment: string, reversal: string, advice: string][] = [
    [sending, 'wait', 'wait', 'wait'],
    [unknown, 'timeout', 'wait', 'wait'],
    [reversing, 'timeout', 'wait', 'wait'],
    [held, 'timeout', 'timeout', 'timeout'],
    [paid, 'approved', 'too-late-to-reverse', 'approved'],
    [declined, 'customer-unknown', 'no-payment', 'no-payment'],
    [reversed, 'already-reversed', 'approved', 'no-payment'],
  ]
  for (const [state, ...wanted] of rows) {
    const questions = ['payment', 'reversal', 'advice'] as const
    const told = questions.map(question => {
      const answer = tell(state, question)
      return answer.tag === 'wait' ? 'wait' : answer.outcome.reason
    })
    t.same(told, wanted, state.tag)
  }
})
