import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions as ServerTls } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { SystemClock, SystemRandom } from '#base'
import { readHttpRequest, readHttpResponse, writeHttpRequest } from '#http'
import { HttpLink } from '#link'
import type { HttpDialect, HttpLinkOptions, LinkOutcome, LinkRequest, TlsOptions } from '#link'
import { ListLog } from './world.ts'

export const HTTP_OPTIONS: HttpLinkOptions = {
  inFlightMax: 8,
  connectTimeoutMs: 2_000,
  tlsTimeoutMs: 2_000,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 10_000,
  lateWaitMs: 0,
  headerBytesMax: 8_192,
  bodyBytesMax: 10_000,
  keepAliveMs: 4_000,
  tokenTimeoutMs: 2_000,
  reconnectMinMs: 10,
  reconnectMaxMs: 50,
  circuit: {
    countMax: 50,
    windowMs: 60_000,
    countMin: 50,
    failureRate: 0.5,
    coolDownMs: 50,
    probes: 2,
  },
  lateMemoryMs: 300_000,
  lateMemoryMax: 100,
}

/** One request as a counterpart of the tests got it, byte for byte. */
export type Got = {
  readonly head: string
  readonly body: string
  /** Of its connection, from 1. */
  readonly connection: number
  readonly socket: Socket
}

export type Script = (got: Got, nth: number) => void

/** A server that does with each request just what it is told to, right or wrong. */
export class ScriptedServer {
  readonly got: Got[] = []
  readonly sockets = new Set<Socket>()
  /** What is done to a connection before anything is read from it. */
  greet: (socket: Socket) => void = () => {}
  connections = 0
  script: Script
  #server: Server | undefined

  constructor(script: Script) {
    this.script = script
  }

  async listen(tls?: ServerTls, port = 0): Promise<number> {
    const serve = (socket: Socket): void => this.#serve(socket)
    const server = tls ? createTlsServer(tls, serve) : createServer(serve)
    // A client that does not like our certificate hangs up.
    server.on('tlsClientError', () => {})
    this.#server = server
    await new Promise<void>(resolve => {
      server.listen(port, '127.0.0.1', resolve)
    })
    return (server.address() as AddressInfo).port
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise(resolve => {
      this.#server?.close(resolve)
    })
  }

  #serve(socket: Socket): void {
    const connection = ++this.connections
    this.sockets.add(socket)
    let bytes = ''
    socket.on('error', () => {})
    this.greet(socket)
    socket.on('close', () => this.sockets.delete(socket))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      bytes += chunk
      for (;;) {
        const end = bytes.indexOf('\r\n\r\n')
        if (end < 0) return
        const head = bytes.slice(0, end)
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
        if (bytes.length < end + 4 + length) return
        const body = bytes.slice(end + 4, end + 4 + length)
        bytes = bytes.slice(end + 4 + length)
        const got = { head, body, connection, socket }
        this.got.push(got)
        this.script(got, this.got.length)
      }
    })
  }
}

export function reply(
  { socket }: Pick<Got, 'socket'>,
  body: string,
  { status = 200, headers = '' } = {},
): void {
  socket.write(
    `HTTP/1.1 ${status} X\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers}\r\n${body}`,
    'latin1',
  )
}

/** What everybody does who is well: the answer to `Q key` is `A key`. */
export const politely: Script = got => reply(got, got.body.replace('Q', 'A'))

/** Frames are HTTP; what they say is the body. A token is put into `authorization`. */
export function toyHttpDialect(more: Partial<HttpDialect<string>> = {}): HttpDialect<string> {
  return {
    session: undefined,
    seal(frame, token) {
      const { headers, ...request } = readHttpRequest(frame)
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return writeHttpRequest({ ...request, headers: { ...headers, ...authorization } })
    },
    read(frame, asked) {
      const { status, body } = readHttpResponse(frame)
      const content = `${status} ${Buffer.from(body).toString('latin1').slice(0, 40)} to ${asked}`
      return { content, tokenRefused: status === 401 }
    },
    ...more,
  }
}

/** A dialect whose token is asked for at /token. */
export function withSession(): HttpDialect<string> {
  return toyHttpDialect({
    session: {
      request: () => requestFrame('token', '/token'),
      read(answer) {
        const [token, expires] = Buffer.from(readHttpResponse(answer).body).toString().split(' ')
        return token ? { token, expiresInMs: Number(expires) } : undefined
      },
    },
  })
}

function requestFrame(body: string, target = '/pay'): Uint8Array {
  const headers = { 'content-type': 'text/plain' }
  return writeHttpRequest({ method: 'POST', target, headers, body })
}

export type HttpTold = {
  readonly outcome: Promise<string>
  readonly outcomes: string[]
  readonly lates: string[]
}

export type HttpWorld = Awaited<ReturnType<typeof httpWorld>>

/** A link and a scripted counterpart on real sockets. */
export async function httpWorld(
  parts: {
    script?: Script
    options?: Partial<HttpLinkOptions>
    dialect?: HttpDialect<string>
    serverTls?: ServerTls
    tls?: TlsOptions
    /** Nobody listens there. */
    deaf?: boolean
    path?: string
    host?: string
    scheme?: 'http' | 'https'
  } = {},
) {
  const { script = politely, serverTls, host = '127.0.0.1', path = '' } = parts
  const server = new ScriptedServer(script)
  const port = await server.listen(serverTls)
  if (parts.deaf) await server.close()
  const clock = new SystemClock()
  const log = new ListLog()
  const states: string[] = []
  const link = new HttpLink<string>({
    name: 'biller',
    place: {
      url: `${parts.scheme ?? (serverTls ? 'https' : 'http')}://${host}:${port}${path}`,
      ...(parts.tls && { tls: parts.tls }),
    },
    dialect: parts.dialect ?? toyHttpDialect(),
    options: { ...HTTP_OPTIONS, ...parts.options },
    clock,
    random: new SystemRandom(),
    log,
  })
  link.onState(state => states.push(state))
  const ask = (key: string, forMs = 10_000): HttpTold => {
    const outcomes: string[] = []
    const lates: string[] = []
    const outcome = new Promise<string>(resolve => {
      const request: LinkRequest<string> = {
        key,
        frame: requestFrame(`Q ${key}`),
        asked: key,
        deadlineMs: clock.nowMs() + forMs,
        done: told => {
          const text = outcomeText(told)
          outcomes.push(text)
          resolve(text)
        },
        late: ({ content }) => lates.push(content),
      }
      link.request(request)
    })
    return { outcome, outcomes, lates }
  }
  /** Waits for something that will come, however long the machine takes. */
  const until = async (what: () => boolean): Promise<void> => {
    for (let i = 0; i < 2000 && !what(); i++)
      await new Promise<void>(resolve => {
        clock.at(clock.nowMs() + 5, resolve)
      })
  }
  const close = async (): Promise<void> => {
    await link.drain(clock.nowMs())
    await until(() => link.state === 'stopped')
    if (!parts.deaf) await server.close()
  }
  return { server, port, clock, log, link, states, ask, until, close }
}

function outcomeText(outcome: LinkOutcome<string>): string {
  return outcome.tag === 'answered' ? outcome.content : `${outcome.tag} ${outcome.why}`
}
