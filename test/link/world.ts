import { latin1, SeededRandom, VirtualClock } from '#base'
import type { Framer } from '#iso8583'
import { DialedLink } from '#link'
import type { Conversation, LinkDialect, LinkOptions, LinkOutcome, LinkRequest } from '#link'
import { MemoryNetwork } from '#net'
import type { Acceptor, Connection, Dialer, MemoryFaults } from '#net'
import type { Log, LogFields } from '#telemetry'
import { twoByteFramer } from '../net/two-byte-framer.ts'

/**
 * A toy dialect: `type|key` or `type|key|rest`.
 *
 *   Q request · A answer · S sign-on · O sign-off · E echo · Y yes · N no · ? they ask us
 */
export function toyDialect(framing: Framer = twoByteFramer()): Required<LinkDialect<string>> {
  let made = 0
  const conversation = (type: string): Conversation<string> => {
    const key = `${type}-${++made}`
    return { key, frame: bytes(`${type}|${key}`), accepts: content => content.startsWith('Y') }
  }
  return {
    framing,
    read(frame) {
      const text = latin1(frame)
      const [type, key] = text.split('|')
      if (key === undefined) return { tag: 'unreadable', why: 'no key' }
      if (type === '?') return { tag: 'request', answer: bytes(`!|${key}`) }
      return { tag: 'response', key, content: text }
    },
    signOn: () => conversation('S'),
    signOff: () => conversation('O'),
    echo: () => conversation('E'),
  }
}

export const OPTIONS: LinkOptions = {
  inFlightMax: 8,
  dialTimeoutMs: 5_000,
  signOnTimeoutMs: 5_000,
  echoIdleMs: 60_000,
  echoTimeoutMs: 10_000,
  reconnectMinMs: 1_000,
  reconnectMaxMs: 30_000,
  lateMemoryMs: 300_000,
  lateMemoryMax: 100,
}

/** The other side: answers what it is told to, keeps what it got. */
export class Counterpart {
  readonly got: string[] = []
  connections: Connection[] = []
  /** What to answer to a frame; by default yes to every conversation and an answer to every request. */
  says: (text: string) => readonly string[] = politely
  readonly #framing: Framer

  constructor(framing: Framer = twoByteFramer()) {
    this.#framing = framing
  }

  listen(acceptor: Acceptor): Promise<{ address: string }> {
    return acceptor.listen(connection => {
      const reader = this.#framing.reader()
      this.connections.push(connection)
      return {
        onData: chunk => {
          try {
            reader.push(chunk, frame => {
              const text = latin1(frame)
              this.got.push(text)
              for (const answer of this.says(text)) this.send(answer, connection)
            })
          } catch {
            connection.destroy('no frame')
          }
        },
        onClose: () => {
          this.connections = this.connections.filter(other => other !== connection)
        },
      }
    })
  }

  send(text: string, connection = this.connections.at(-1)): void {
    connection?.write(this.#framing.wrap(bytes(text)))
  }
}

export function politely(text: string): readonly string[] {
  const [type, key, rest] = text.split('|')
  if (type === 'Q') return [`A|${key}|${rest ?? ''}`]
  return type === 'S' || type === 'O' || type === 'E' ? [`Y|${key}`] : []
}

/** Keeps what is logged. */
export class ListLog implements Log {
  readonly lines: { level: string; text: string; fields: LogFields | undefined }[] = []
  debug = this.#line('debug')
  info = this.#line('info')
  warn = this.#line('warn')
  error = this.#line('error')

  child(): Log {
    return this
  }

  #line(level: string): (text: string, fields?: LogFields) => void {
    return (text, fields) => void this.lines.push({ level, text, fields })
  }
}

export type Told = { readonly request: LinkRequest<string>; outcomes: string[]; lates: string[] }

/** A request that writes down what it is told. */
export function asking(key: string, deadlineMs: number, rest = ''): Told {
  const told: Told = {
    outcomes: [],
    lates: [],
    request: {
      key,
      frame: bytes(`Q|${key}|${rest}`),
      deadlineMs,
      done: outcome => told.outcomes.push(outcomeText(outcome)),
      late: ({ content }) => told.lates.push(content),
    },
  }
  return told
}

function outcomeText(outcome: LinkOutcome<string>): string {
  return outcome.tag === 'answered'
    ? `answered ${outcome.content}`
    : `${outcome.tag} ${outcome.why}`
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** A link and its counterpart on a network in memory, in invented time. */
export async function world(
  parts: {
    options?: Partial<LinkOptions>
    dialect?: LinkDialect<string>
    faults?: MemoryFaults
    seed?: number
    dialer?: Dialer
  } = {},
) {
  const clock = new VirtualClock(0)
  const random = new SeededRandom(parts.seed ?? 1)
  const { faults } = parts
  const network = new MemoryNetwork({ clock, random, ...(faults && { faults }) })
  const log = new ListLog()
  const counterpart = new Counterpart()
  await counterpart.listen(network.acceptor('biller'))
  const states: string[] = []
  const link = new DialedLink<string>({
    name: 'biller',
    dialer: parts.dialer ?? network.dialer('biller', 'nadi'),
    dialect: parts.dialect ?? toyDialect(),
    options: { ...OPTIONS, ...parts.options },
    clock,
    random,
    log,
  })
  link.onState(state => states.push(state))
  const pass = (ms: number): Promise<void> => clock.runUntil(clock.nowMs() + ms)
  const ask = (key: string, forMs = 20_000, rest = ''): Told => {
    const told = asking(key, clock.nowMs() + forMs, rest)
    link.request(told.request)
    return told
  }
  return { clock, network, log, counterpart, link, states, pass, ask }
}
