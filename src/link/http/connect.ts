import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { buildConnector } from 'undici'
import type { Clock } from '#base'
import type { ClientCertificate } from './options.ts'

export type TlsOptions = {
  /** PEM. These alone are believed, and no list that came with the machine; undefined: Node's own. */
  readonly authorities?: readonly string[]
  readonly client?: ClientCertificate
  /** The name that their certificate must bear, where it is not the one in the address. */
  readonly servername?: string
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
}

type ConnectTimes = { readonly connectTimeoutMs: number; readonly tlsTimeoutMs: number }

/** How long the system waits before it probes a connection without traffic. */
const PROBE_IDLE_MS = 30_000

/**
 * Makes connections in two phases, each with a time limit of its own:
 *
 *     ─ connecting ──TCP is up──▶ handshake ──secure──▶ handed over
 *          └── connectTimeoutMs       └── tlsTimeoutMs
 *
 * No byte of a request has left before it is handed over, so whatever fails in here is not-sent.
 */
export function connector(
  times: ConnectTimes,
  tls: TlsOptions | undefined,
  clock: Clock,
): buildConnector.connector {
  return ({ hostname, port, protocol }, handOver) => {
    const secure = protocol === 'https:'
    const number = Number(port || (secure ? 443 : 80))
    const tcp = connectTcp({ host: hostname, port: number, noDelay: true })
    tcp.setKeepAlive(true, PROBE_IDLE_MS)
    let socket: Socket = tcp
    let callOff = limit('connect timeout', times.connectTimeoutMs)
    let open = true

    function limit(what: string, ms: number): () => void {
      return clock.at(clock.nowMs() + ms, () => fail(new ConnectFailed(what)))
    }
    function fail(error: Error): void {
      if (!open) return
      open = false
      callOff()
      socket.destroy()
      handOver(error, null)
    }
    function done(): void {
      if (!open) return
      open = false
      callOff()
      handOver(null, socket)
    }
    // Stays: whoever takes the socket over listens for himself, and an error unheard would be a bug.
    tcp.on('error', fail)
    tcp.once('connect', () => {
      if (!open) return
      if (!secure) return done()
      callOff()
      callOff = limit('TLS timeout', times.tlsTimeoutMs)
      socket = handshake(tcp, hostname, tls)
      socket.on('error', fail)
      socket.once('secureConnect', done)
    })
  }
}

function handshake(tcp: Socket, host: string, tls: TlsOptions | undefined): TLSSocket {
  const name = tls?.servername ?? host
  return connectTls({
    socket: tcp,
    // An address is no name (RFC 6066, 3), but the certificate is held against it all the same.
    ...(isIP(name) ? { host: name } : { servername: name }),
    ALPNProtocols: ['http/1.1'],
    minVersion: tls?.minVersion ?? 'TLSv1.2',
    rejectUnauthorized: true,
    ...(tls?.authorities && { ca: [...tls.authorities] }),
    ...(tls?.client && { cert: tls.client.certificate, key: tls.client.key.reveal() }),
  })
}

/** The message is a word or two of our own; it may be logged. */
export class ConnectFailed extends Error {
  readonly code = 'CONNECT_FAILED'
}
