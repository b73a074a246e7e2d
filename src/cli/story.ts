import { formatMoney, plain, wrap } from '#base'
import type { EventEntry, FrameEntry, PostingEntry, StoryView, TimelineEntry } from '#admin'
import { stateBrush } from './table.ts'
import type { Paint } from './terminal.ts'
import { cut, formatAge, formatDay, formatTime, signedMoney } from './words.ts'

/**
 * The whole story of a txn on 100 columns, time going down, bytes going across:
 *
 *             partner         nadi            biller
 *      0 ms   ├──── 2200 ────▶│              │   payment Rp 260.500 · trace 000000000124
 *      1 ms   │               ● admitted     │   received → sending
 *      1 ms   │               │              │       deposit              -Rp 263.000
 *      1 ms   │               ├──── 2200 ───▶│   payment Rp 260.500 · trace 330000000000
 */
const WIDTH = 100
const TIME_WIDTH = 11
/** Between two lanes. */
const SPAN = 15
const LANES_WIDTH = 2 * SPAN + 3
const TEXT_AT = TIME_WIDTH + 2 + LANES_WIDTH + 2
const TEXT_WIDTH = WIDTH - TEXT_AT
/** A silence that is worth a line of its own. */
const SILENCE_MS = 1000

export type StoryOptions = {
  readonly paint: Paint
  /** Every field of every frame. */
  readonly frames: boolean
  /** The bytes too. */
  readonly hex: boolean
}

export function storyLines(story: StoryView, nowMs: number, options: StoryOptions): string[] {
  const { paint } = options
  const lines = [...headLines(story, nowMs, paint), '', ...laneTitles(story, paint)]
  let before = 0
  for (const entry of story.timeline) {
    if (entry.sinceMs - before >= SILENCE_MS) lines.push(silence(entry.sinceMs - before, paint))
    before = entry.sinceMs
    lines.push(...entryLines(entry, options))
  }
  return [...lines, '', ...endLines(story, nowMs, paint)]
}

// ── head and end ─────────────────────────────────────────────────────────────────────────────

function headLines(story: StoryView, nowMs: number, paint: Paint): string[] {
  const { id, kind, state, amountMinor, partner, partnerName = '', customer, inquiryId } = story
  const brush = stateBrush(state, paint)
  const title = `${id}  ${kind} ${formatMoney(amountMinor)}  `
  const what = story.productTitle ?? story.product
  const fact = (name: string, value: string): string =>
    value === '' ? '' : `  ${paint.dim(name.padEnd(10))}${plain(value)}`
  const facts = [
    fact('product', what === story.product ? what : `${story.product}, ${what}`),
    fact('customer', customer),
    fact('partner', `${partner} ${partnerName}`.trim()),
    fact('inquiry', inquiryId ?? ''),
    fact(
      'opened',
      `${formatTime(story.openedAtMs)} WIB, ${formatAge(nowMs - story.openedAtMs)} ago`,
    ),
    fact('business', formatDay(story.businessDate)),
  ]
  const masks = story.unsafe ? [paint.red('  shown in clear; this is on record')] : []
  return [
    paint.bold(title) + brush(state.toUpperCase()),
    ...facts.filter(one => one !== ''),
    ...masks,
  ]
}

/** Where it stands: who is owed what next, and what it did to the money. */
function endLines(story: StoryView, nowMs: number, paint: Paint): string[] {
  const { owes, state, changedAtMs } = story
  const since = `${state} since ${formatAge(nowMs - changedAtMs)}`
  const next = owes
    ? paint.yellow(`${since}; ${owedText(owes, nowMs)}`)
    : paint.dim(`${since}; it is final, nothing is owed`)
  const moved = story.money.filter(({ amountMinor }) => amountMinor !== 0n)
  const money = moved.map(
    ({ account, amountMinor }) => `  ${account.padEnd(16)}${signedMoney(amountMinor).padStart(24)}`,
  )
  if (story.money.length > 0 && moved.length === 0)
    money.push(paint.dim('  no money moved in the end'))
  return [next, ...money]
}

const STEPS: Readonly<Record<string, string>> = {
  answer: 'waiting for the answer of',
  reverse: 'being reversed at',
  advise: 'being asked for (advice) at',
  check: 'being asked about (status) at',
}

export function owedText({ step, destination, dueAtMs }: Owes, nowMs: number): string {
  if (step === 'decide') return "a person must decide: 'nadi txn resolve'"
  const leftMs = dueAtMs - nowMs
  const due = leftMs >= 0 ? `next step in ${formatAge(leftMs)}` : `due for ${formatAge(-leftMs)}`
  return `${STEPS[step] ?? step} ${destination}, ${due}`
}

type Owes = NonNullable<StoryView['owes']>

// ── the lanes ────────────────────────────────────────────────────────────────────────────────

function laneTitles({ timeline }: StoryView, paint: Paint): string[] {
  const biller = timeline.find(entry => entry.what === 'frame' && entry.side === 'destination')
  const right = biller?.what === 'frame' ? biller.via : ''
  const blank = ' '.repeat(TIME_WIDTH + 2)
  const middle = SPAN + 1
  const titles = `${'partner'.padEnd(middle)}${'nadi'.padEnd(middle)}${cut(plain(right), 24)}`
  return [paint.dim(`${blank}${titles}`.trimEnd())]
}

function row(sinceMs: number | undefined, lanes: string, text: string, paint: Paint): string {
  const time = sinceMs === undefined ? '' : `+${sinceMs} ms`
  return `${paint.dim(time.padStart(TIME_WIDTH))}  ${lanes}  ${text}`.trimEnd()
}

const QUIET = `│${' '.repeat(SPAN)}│${' '.repeat(SPAN)}│`

function silence(ms: number, paint: Paint): string {
  const lanes = QUIET.replaceAll('│', '┊')
  return paint.dim(`${' '.repeat(TIME_WIDTH)}  ${lanes}  ${formatAge(ms)} of silence`)
}

function entryLines(entry: TimelineEntry, options: StoryOptions): string[] {
  switch (entry.what) {
    case 'event':
      return eventLines(entry, entry.sinceMs, options.paint)
    case 'frame':
      return frameLines(entry, entry.sinceMs, options)
    case 'posting':
      return postingLines(entry, options.paint)
  }
}

function eventLines(entry: EventEntry, sinceMs: number, paint: Paint): string[] {
  const { event, state, from, version } = entry
  const lanes = `│${' '.repeat(SPAN)}●${' '.repeat(SPAN)}│`
  const changed = from !== undefined || version === 1
  const end = changed ? ` → ${stateBrush(state, paint)(paint.bold(state))}` : ''
  const [first = '', ...rest] = wrap(dataText(entry.data), TEXT_WIDTH - 2)
  const name = plain(event)
  // A short reason stands beside the event, a long one under it.
  const width = name.length + (changed ? state.length + 3 : 0) + first.length + 3
  const beside = rest.length === 0 && width <= TEXT_WIDTH
  const line = paint.bold(name) + end + (beside && first !== '' ? `   ${paint.dim(first)}` : '')
  const under = beside ? [] : [first, ...rest]
  return [
    row(sinceMs, lanes, line, paint),
    ...under.map(text => row(undefined, QUIET, `  ${paint.dim(text)}`, paint)),
  ]
}

/** Of an event's data what explains it: why, by whom, by which rule, with which code. */
function dataText(data: unknown): string {
  if (typeof data !== 'object' || data === null) return ''
  const { why, by, reason, rule, outcome } = data as Record<string, unknown>
  const words: string[] = []
  if (isOutcome(outcome)) words.push(outcomeText(outcome))
  if (typeof why === 'string') words.push(why)
  if (typeof by === 'string') words.push(`by ${by}:`)
  if (typeof reason === 'string') words.push(reason)
  if (typeof rule === 'string') words.push(`(rule ${rule})`)
  return plain(words.join(' '))
}

/** `0012 stands (too-late-to-reverse)`; a reason that says the same again is left out. */
function outcomeText({ code, meaning, reason }: Outcome): string {
  const why = reason === meaning ? undefined : `(${reason})`
  return [code, meaning, why].filter(Boolean).join(' ')
}

type Outcome = { readonly code?: string; readonly meaning: string; readonly reason: string }

function isOutcome(value: unknown): value is Outcome {
  return typeof value === 'object' && value !== null && 'meaning' in value
}

function postingLines({ reason, legs }: PostingEntry, paint: Paint): string[] {
  return legs.map(({ account, amountMinor }, index) => {
    const amount = signedMoney(amountMinor)
    const brush = amountMinor < 0n ? paint.red : paint.green
    const label = `  ${(index === 0 ? reason : '').padEnd(9)}`
    const room = TEXT_WIDTH - label.length - amount.length - 1
    const name = cut(plain(account), room).padEnd(room)
    return row(undefined, QUIET, `${paint.dim(label)}${name} ${brush(amount)}`, paint)
  })
}

function frameLines(entry: FrameEntry, sinceMs: number, options: StoryOptions): string[] {
  const { paint, frames, hex } = options
  const lines = [row(sinceMs, arrow(entry, paint), frameText(entry, paint), paint)]
  if (frames) lines.push(...fieldLines(entry, paint))
  if (hex) {
    const head = `${entry.length} bytes, ${entry.pack} via ${entry.via}`
    lines.push(paint.dim(`    ${plain(head)}`))
    for (let at = 0; at < entry.hex.length; at += 92)
      lines.push(paint.dim(`    ${entry.hex.slice(at, at + 92)}`))
  }
  return lines
}

/** `├──── 2200 ────▶│` between the two lanes that the frame went. */
function arrow({ side, direction, label }: FrameEntry, paint: Paint): string {
  const rightward = (side === 'source') === (direction === 'in')
  const name = ` ${cut(plain(label), SPAN - 6)} `
  const dashes = SPAN - 1 - name.length
  const left = '─'.repeat(Math.floor(dashes / 2))
  const right = '─'.repeat(Math.ceil(dashes / 2))
  const body = rightward ? `├${left}${name}${right}▶│` : `│◀${left}${name}${right}┤`
  const painted = paint.cyan(body)
  const other = ' '.repeat(SPAN)
  return side === 'source' ? `${painted}${other}│` : `│${other}${painted}`
}

function frameText({ message, problem }: FrameEntry, paint: Paint): string {
  if (!message) return paint.red(cut(plain(problem ?? 'unreadable'), TEXT_WIDTH))
  const { kind, repeat, trace, amountMinor, outcome, direction } = message
  const words = [repeat ? `${kind} again` : kind]
  if (outcome) words.push(`${outcome.code ?? ''} ${outcome.meaning}`.trim())
  // What an answer says again of the request is known already.
  if (direction === 'request' && amountMinor !== undefined) words.push(formatMoney(amountMinor))
  if (direction === 'request' && trace !== undefined) words.push(`trace ${trace}`)
  if (outcome && outcome.reason !== outcome.meaning) words.push(outcome.reason)
  return cut(plain(words.join(' · ')), TEXT_WIDTH)
}

/** One line a field: where, what it is, what stands there, what that means. */
function fieldLines({ fields }: FrameEntry, paint: Paint): string[] {
  // What stands below in its parts is not told twice.
  const whole = fields.filter(({ path }, index) => !fields[index + 1]?.path.startsWith(`${path}.`))
  return whole.map(({ path, name, value, meaning }) => {
    const indent = path.includes('.') ? '      ' : '    '
    const where = `${indent}${cut(plain(path), 32)}`.padEnd(40)
    const shown = cut(plain(value), 28)
    const means = meaning === undefined ? '' : `  ${plain(meaning)}`
    return `${where}${cut(shown + means, 32).padEnd(34)}${paint.dim(cut(plain(name), 26))}`.trimEnd()
  })
}
