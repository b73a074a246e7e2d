/**
 * What HTTP alone costs on this machine, by the libraries that the switch stands on and nothing else:
 *
 *     echo     client ──▶ fastify                      says again what it heard, parsed and written anew
 *     relay    load ──▶ fastify ─ undici ──▶ fastify   the hops of a payment to a biller over HTTP
 */
import { type ChildProcess, fork } from 'node:child_process'
import { fastify, type FastifyInstance } from 'fastify'
import { Pool } from 'undici'
import type { Loaded, LoadOptions } from './load.ts'

/** As long as the API's answer to a payment of one bill, about. */
export const BODY = JSON.stringify({
  id: '06D3K8N0AAAA',
  customer: { id: '999900000015', name: 'PELANGGAN UJI SATU', address: 'JL CONTOH NO 1' },
  bills: Array.from({ length: 3 }, (_, at) => ({
    period: `2026-0${at + 7}`,
    amount: { value: '125000.00', currency: 'IDR' },
    due: { value: '130000.00', currency: 'IDR' },
  })),
  reference: 'SWX20261125141500000000000000017',
})

const CONNECTIONS_MAX = 2048

export type Bare = {
  readonly pids: { readonly daemon: number; readonly biller: number; readonly postgres: number }
  readonly echo: string
  readonly relay: string
  stop(): void
}

export async function startBare(): Promise<Bare> {
  const echo = await part({ role: 'echo' })
  const relay = await part({ role: 'relay', to: echo.address })
  return {
    pids: { daemon: relay.child.pid ?? 0, biller: echo.child.pid ?? 0, postgres: -1 },
    echo: echo.address,
    relay: relay.address,
    stop() {
      relay.child.kill()
      echo.child.kill()
    },
  }
}

/** undici over fastify's echo; two exchanges are a cycle. */
export async function undiciLoad({ address, inFlight, seconds = 1 }: LoadOptions): Promise<Loaded> {
  const pool = new Pool(`http://${address}`, { connections: inFlight })
  const timesMs: number[] = []
  const fromMs = performance.now() + seconds * 100
  const untilMs = fromMs + seconds * 1000
  let allCycles = 0
  const lane = async (): Promise<void> => {
    for (let nowMs = performance.now(); nowMs < untilMs;) {
      const beganMs = nowMs
      for (let nth = 0; nth < 2; nth++) if ((await post(pool)) !== BODY) throw new Error('no echo')
      nowMs = performance.now()
      allCycles++
      if (nowMs >= fromMs && nowMs <= untilMs) timesMs.push(nowMs - beganMs)
    }
  }
  try {
    await Promise.all(Array.from({ length: inFlight }, lane))
  } finally {
    await pool.destroy()
  }
  return { cycles: timesMs.length, allCycles, tookMs: untilMs - fromMs, timesMs }
}

async function post(pool: Pool, body = BODY): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const answer = await pool.request({ path: '/echo', method: 'POST', headers, body })
  return answer.body.text()
}

type Role = { readonly role: 'echo' } | { readonly role: 'relay'; readonly to: string }

function part(role: Role): Promise<{ child: ChildProcess; address: string }> {
  const child = fork(import.meta.filename, [], { serialization: 'json' })
  child.send(role)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('message', address => resolve({ child, address: address as string }))
  })
}

async function serve(app: FastifyInstance): Promise<void> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { address, port } = app.addresses()[0] as { address: string; port: number }
  process.send?.(`${address}:${port}`)
}

function beEcho(): Promise<void> {
  const app = fastify()
  app.post('/echo', (request, reply) => void reply.send(request.body))
  return serve(app)
}

function beRelay(to: string): Promise<void> {
  const app = fastify()
  const pool = new Pool(`http://${to}`, { connections: CONNECTIONS_MAX })
  app.post('/echo', async (request, reply) => {
    const text = await post(pool, JSON.stringify(request.body))
    return reply.type('application/json').send(text)
  })
  return serve(app)
}

if (process.send && process.argv[1] === import.meta.filename) {
  // Whoever wanted it is gone.
  process.once('disconnect', () => process.exit())
  process.once('message', (role: Role) => {
    void (role.role === 'echo' ? beEcho() : beRelay(role.to))
  })
}
