import { type AmountMinor, formatTxnId, toHex, type TxnId, ZERO, minor } from '#base'
import type { Evidence, StoredRecord, Story, TxnRow } from '#journal'
import type { Message } from '#message'
import type {
  EventEntry,
  FrameEntry,
  FrameMessage,
  PostingEntry,
  StoryView,
  TimelineEntry,
  TxnView,
} from './api.ts'
import { hiddenHex, hideWithin } from './hide.ts'
import type { AdminParts } from './parts.ts'

type Read = Pick<AdminParts, 'packs' | 'partners' | 'products'>

export function txnView(row: TxnRow, nowMs: number): TxnView {
  const { id, partner, businessDate, kind, product, customer, amountMinor } = row
  const { tag, owes, openedAtMs, changedAtMs, version } = row
  return {
    id: formatTxnId(id),
    partner,
    businessDate,
    kind,
    product,
    customer,
    amountMinor,
    state: tag,
    ...(owes && { owes }),
    openedAtMs,
    changedAtMs,
    ageMs: Math.max(0, nowMs - openedAtMs),
    version,
  }
}

/** The whole story of a txn, masked unless `unsafe`. */
export function storyView(story: Story, nowMs: number, unsafe: boolean, read: Read): StoryView {
  const inquiryId = inquiryIdOf(story)
  const name = read.partners.get(story.partner)?.name
  const title = read.products.get(story.product)?.title
  return {
    ...txnView(story, nowMs),
    ...(name !== undefined && { partnerName: name }),
    ...(title !== undefined && { productTitle: title }),
    ...(inquiryId !== undefined && { inquiryId: formatTxnId(inquiryId) }),
    detail: unsafe ? story.state : hideWithin(story.state),
    money: moneyOf(story),
    timeline: timelineOf(story, unsafe, read),
    unsafe,
  }
}

/** A payment's request key names the inquiry that it pays. */
function inquiryIdOf({ inquiryId, kind, key }: Story): TxnId | undefined {
  if (inquiryId !== undefined || kind !== 'payment') return inquiryId
  const hex = /^payment ([0-9a-f]{1,15})$/.exec(key ?? '')?.[1]
  return hex === undefined ? undefined : (BigInt(`0x${hex}`) as TxnId)
}

function moneyOf({ postings }: Story): { account: string; amountMinor: AmountMinor }[] {
  const sums = new Map<string, AmountMinor>()
  for (const { account, amountMinor } of postings.flatMap(({ legs }) => legs))
    sums.set(account, minor((sums.get(account) ?? ZERO) + amountMinor))
  return [...sums].map(([account, amountMinor]) => ({ account, amountMinor }))
}

/**
 * In time order. A record's frames stand in the order they crossed; those after the last one that
 * came in are what was made of it, and left when the record was durable. What has the same time
 * stands in the order in which it must have been: in, event, whose money that moved, out.
 */
function timelineOf(story: Story, unsafe: boolean, read: Read): TimelineEntry[] {
  const placed: { atMs: number; version: number; rank: number; entry: Entry }[] = []
  let from: string | undefined
  for (const record of story.records) {
    const { atMs, version, frames = [] } = record
    placed.push({ atMs, version, rank: 1, entry: eventEntry(record, from, unsafe) })
    const lastIn = frames.findLastIndex(({ direction }) => direction === 'in')
    for (const [index, frame] of frames.entries()) {
      const after = index > lastIn
      const at = after ? Math.max(atMs, frame.atMs) : frame.atMs
      const entry = frameEntry(frame, version, unsafe, read)
      placed.push({ atMs: at, version, rank: after ? 3 : 0, entry })
    }
    from = record.tag
  }
  for (const { atMs, version, reason, legs } of story.postings) {
    const entry: PostingEntry = { what: 'posting', version, reason, legs }
    placed.push({ atMs, version, rank: 2, entry })
  }
  placed.sort((a, b) => a.atMs - b.atMs || a.version - b.version || a.rank - b.rank)
  const startMs = Math.min(placed[0]?.atMs ?? Infinity, story.openedAtMs)
  return placed.map(({ atMs, entry }) => ({ atMs, sinceMs: atMs - startMs, ...entry }))
}

type Entry = EventEntry | FrameEntry | PostingEntry

function eventEntry(record: StoredRecord, from: string | undefined, unsafe: boolean): EventEntry {
  const { version, event, tag, data } = record
  return {
    what: 'event',
    version,
    event,
    state: tag,
    ...(from !== undefined && from !== tag && { from }),
    ...(data !== undefined && { data: unsafe ? data : hideWithin(data) }),
  }
}

function frameEntry(frame: Evidence, version: number, unsafe: boolean, read: Read): FrameEntry {
  const { side, direction, via, pack: packName, bytes } = frame
  const head = { what: 'frame', version, side, direction, via, pack: packName } as const
  const pack = read.packs.get(packName)
  if (!pack) {
    const hex = unsafe ? toHex(bytes) : '2a'.repeat(bytes.length)
    const problem = `there is no pack ${packName}`
    return { ...head, length: bytes.length, label: '?', problem, fields: [], hex }
  }
  const fields = pack.describe(bytes, { unsafe })
  const result = pack.read(bytes)
  const mti = fields.find(({ path }) => path === 'mti')?.value
  return {
    ...head,
    length: bytes.length,
    label: mti ?? (result.tag === 'message' ? result.message.kind : '?'),
    ...(result.tag === 'message'
      ? { message: frameMessage(result.message) }
      : { problem: result.reject.error.message }),
    fields,
    hex: unsafe ? toHex(bytes) : hiddenHex(pack, bytes),
  }
}

function frameMessage(message: Message): FrameMessage {
  const { kind, direction, repeat, trace, amountMinor, outcome } = message
  return {
    kind,
    direction,
    repeat,
    ...(trace !== '' && { trace }),
    ...(amountMinor !== undefined && { amountMinor }),
    ...(outcome && { outcome }),
  }
}
