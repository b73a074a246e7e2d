/**
 * What a lone cycle costs at the very least on this machine: a relay of three processes that does
 * nothing but what no switch can leave out. Frames of a cycle's sizes go load → relay → biller →
 * relay → load for the inquiry and again for the payment, and before each of the payment's two
 * steps one row is made durable. No field is read, nothing is decided.
 *
 *     load ──▶ relay ──▶ biller            eight hops over loopback
 *       ◀────── relay ◀────┘               two single-row commits
 */
import { type ChildProcess, fork } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { Client, type ClientConfig } from 'pg'

const ASK_BYTES = 120
const TELL_BYTES = 460
const PATIENCE_MS = 10_000

/** The median of lone cycles through a bare relay, in milliseconds. */
export async function relayCycleP50(connection: ClientConfig, cycles = 400): Promise<number> {
  const biller = await part({ role: 'biller' })
  const relay = await part({ role: 'relay', connection, biller: biller.port })
  try {
    const socket = connect({ host: '127.0.0.1', port: relay.port, noDelay: true })
    const timesMs: number[] = []
    for (let cycle = 0; cycle < cycles; cycle++) {
      const fromMs = performance.now()
      await exchange(socket, INQUIRY)
      await exchange(socket, PAYMENT)
      timesMs.push(performance.now() - fromMs)
    }
    socket.destroy()
    return Float64Array.from(timesMs).sort()[timesMs.length >> 1] ?? 0
  } finally {
    relay.child.kill()
    biller.child.kill()
  }
}

const INQUIRY = 1
const PAYMENT = 2

function exchange(socket: Socket, kind: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('the relay does not answer')), PATIENCE_MS)
    socket.once('data', () => {
      clearTimeout(late)
      resolve()
    })
    socket.write(frame(kind, ASK_BYTES))
  })
}

function frame(kind: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes, 0x37)
  made[0] = kind
  return made
}

type Role =
  | { readonly role: 'biller' }
  | { readonly role: 'relay'; readonly connection: ClientConfig; readonly biller: number }

function part(role: Role): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(import.meta.filename, [], { execArgv: [], serialization: 'json' })
  child.send(role)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('message', port => resolve({ child, port: Number(port) }))
  })
}

function serve(onFrame: (socket: Socket, kind: number) => void): void {
  const server = createServer({ noDelay: true }, socket => {
    socket.on('data', chunk => onFrame(socket, chunk[0] ?? 0))
    socket.on('error', () => {})
  })
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
}

async function beRelay(connection: ClientConfig, billerPort: number): Promise<void> {
  const client = new Client(connection)
  await client.connect()
  await client.query('CREATE TABLE IF NOT EXISTS bench_relay (id bigint, at bigint)')
  const durable = () =>
    client.query({ name: 'one', text: 'INSERT INTO bench_relay VALUES ($1, $2)', values: [1, 1] })
  const biller = connect({ host: '127.0.0.1', port: billerPort, noDelay: true })
  let partner: Socket | undefined
  biller.on('data', chunk => {
    if (chunk[0] === INQUIRY) partner?.write(chunk)
    else void durable().then(() => partner?.write(chunk))
  })
  serve((socket, kind) => {
    partner = socket
    if (kind === INQUIRY) biller.write(frame(kind, ASK_BYTES))
    else void durable().then(() => biller.write(frame(kind, TELL_BYTES)))
  })
}

if (process.send && process.argv[1] === import.meta.filename)
  process.once('message', (role: Role) => {
    if (role.role === 'biller') serve((socket, kind) => socket.write(frame(kind, TELL_BYTES)))
    else void beRelay(role.connection, role.biller)
  })
