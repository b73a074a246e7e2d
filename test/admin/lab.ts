import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret, SystemClock, SystemRandom } from '#base'
import { type AdminParts, openAuditTrail, startAdmin } from '#admin'
import { type Config, loadConfig, placesFrom } from '#config'
import { MemoryJournal } from '#journal'
import { MemoryNetwork, TcpAcceptor } from '#net'
import { Book, SimulatedBiller } from '#sim'
import { NO_OBSERVER, type Switch } from '#switch'
import { NO_LOG } from '#telemetry'
import { wire } from '../../src/daemon/wire.ts'

export const TOKEN = 'a-token-for-tests'
export const ROOT = new URL('../..', import.meta.url).pathname

/** The lab without a database: the real switch, biller, listener and admin API, in this process. */
export type Lab = {
  readonly config: Config
  readonly journal: MemoryJournal
  readonly network: MemoryNetwork
  readonly switch: Switch
  readonly clock: SystemClock
  readonly admin: string
  readonly listener: string
  readonly folder: string
  /** What the admin API is made of. */
  readonly parts: AdminParts
  auditLines(): Record<string, unknown>[]
  close(): Promise<void>
}

export async function startLab(change: Partial<AdminParts> = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-lab-'))
  const config = labConfig(folder)
  const clock = new SystemClock()
  const random = new SystemRandom()
  const log = NO_LOG
  const network = new MemoryNetwork({ clock, random })
  const journal = new MemoryJournal({ clock })

  const biller = new SimulatedBiller({
    pack: config.packs.get('pln-2003-115') as NonNullable<ReturnType<typeof config.packs.get>>,
    acceptor: network.acceptor('pln'),
    clock,
    random,
    book: new Book({}),
    log,
    timing: { deadlineMs: 500, lateByMs: 50 },
  })
  await biller.listen()

  const wired = wire(config, {
    clock,
    random,
    log,
    journal,
    observer: NO_OBSERVER,
    dialer: () => network.dialer('pln', 'nadi'),
    acceptor: () => new TcpAcceptor({ host: '127.0.0.1', port: 0 }),
  })
  for (const listener of wired.listeners) await listener.listen()
  for (const { link } of wired.destinations.values()) link.start()
  for (const partner of config.partners.values())
    await wired.switch.deposit(
      partner.id,
      partner.openingDepositMinor ?? (0n as never),
      'lab',
      'opening',
    )

  const audit = await openAuditTrail(join(folder, 'audit.log'))
  const parts: AdminParts = {
    host: '127.0.0.1',
    port: 0,
    token: new Secret(TOKEN),
    node: { name: 'lab-1', number: 0, version: '0.0.0' },
    clock,
    log,
    audit,
    journal,
    switch: wired.switch,
    links: new Map([...wired.destinations].map(([name, { link }]) => [name, link])),
    listeners: new Map(wired.listeners.map(each => [each.name, each])),
    packs: config.packs,
    partners: config.partners,
    products: config.products,
    metrics: { contentType: 'text/plain', render: async () => 'nadi_up 1\n' },
    health: { live: () => [], ready: () => [] },
    ...change,
  }
  const admin = await startAdmin(parts)

  return {
    config,
    journal,
    network,
    switch: wired.switch,
    clock,
    admin: admin.address,
    listener: wired.listeners[0]?.status().address ?? '',
    folder,
    parts,
    auditLines: () =>
      readFileSync(join(folder, 'audit.log'), 'utf8')
        .split('\n')
        .filter(line => line !== '')
        .map(line => JSON.parse(line) as Record<string, unknown>),
    async close() {
      await admin.close()
      await audit.close()
      const soonMs = clock.nowMs() + 1000
      await Promise.all(wired.listeners.map(each => each.drain(soonMs)))
      await Promise.all([...wired.destinations.values()].map(({ link }) => link.drain(soonMs)))
      await biller.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The lab's own configuration, made fast, with all that it writes in `folder`. */
export function labConfig(varFolder: string): Config {
  const places = placesFrom({ NADI_VAR: varFolder }, ROOT, [])
  const result = loadConfig(places)
  if ('problems' in result) throw new Error(JSON.stringify(result.problems, undefined, 1))
  const { config } = result
  const products = [...config.products].map(
    ([code, product]) =>
      [
        code,
        {
          ...product,
          policy: {
            ...product.policy,
            spacingMs: 20,
            answerTimeoutMs: 500,
            recoveryTimeoutMs: 300,
          },
        },
      ] as const,
  )
  return { ...config, products: new Map(products) }
}
