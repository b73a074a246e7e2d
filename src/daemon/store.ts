import { hkdfSync } from 'node:crypto'
import { type Clock, fromHex, NadiError, type Random, Secret } from '#base'
import { PostgresRequests, PostgresWebhooks, type RequestStore, type WebhookStore } from '#api'
import { type Config, ensureSecret } from '#config'
import { PostgresJournal } from '#journal'
import { type KeyRecords, PostgresKeyRecords } from '#keys'
import { type Connection, Database, startEmbedded } from '#postgres'
import type { Log, Metrics } from '#telemetry'

/** Where everything durable lies, and the way to end it in order. */
export type Store = {
  readonly journal: PostgresJournal
  /** What card numbers are sealed with wherever a message is kept; made of the evidence key. */
  readonly cardKey: Secret<Uint8Array>
  /** What the partners' HTTP API keeps beside it. */
  readonly requests: RequestStore
  readonly webhooks: WebhookStore
  readonly keyRecords: KeyRecords
  /** For people: `embedded PostgreSQL in var/postgres`. */
  readonly where: string
  close(): Promise<void>
}

type Around = {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
}

/** Opens the journal, on the embedded server or on one of one's own. */
export async function openStore(config: Config, around: Around): Promise<Store> {
  const { databaseUrl, varFolder } = config.data
  if (databaseUrl) {
    const open = await openJournal(config, databaseUrl.reveal(), around)
    return { ...open, where: 'PostgreSQL of DATABASE_URL' }
  }
  const server = await startEmbedded({ varFolder, ...around })
  try {
    const { close, ...kept } = await openJournal(config, server.connection, around)
    const closeAll = async (): Promise<void> => {
      await close()
      await server.stop()
    }
    return { ...kept, where: `embedded PostgreSQL in ${server.dataFolder}`, close: closeAll }
  } catch (error) {
    // Another daemon is in charge of this server: it is not ours to stop.
    if (error instanceof NadiError && error.code === 'NODE_RUNNING') server.leave()
    else await server.stop()
    throw error
  }
}

async function openJournal(
  config: Config,
  connection: Connection,
  { clock, random, log, metrics }: Around,
): Promise<Omit<Store, 'where'>> {
  const database = await Database.open({ connection, log })
  try {
    const evidenceKey = evidenceKeyOf(config, random)
    const journal = await PostgresJournal.open({
      database,
      node: config.node.name,
      clock,
      random,
      log,
      evidenceKey,
      onBatch: metrics.journalBatch.bind(metrics),
    })
    const close = async (): Promise<void> => {
      await journal.close()
      await database.close()
    }
    const requests = new PostgresRequests(database)
    const cardKey = cardKeyOf(evidenceKey)
    const keyRecords = new PostgresKeyRecords({ database, clock, log })
    const webhooks = new PostgresWebhooks(database)
    return { journal, cardKey, requests, webhooks, keyRecords, close }
  } catch (error) {
    await database.close()
    throw error
  }
}

const EVIDENCE_KEY_BYTES = 32

/** A key of its own for another purpose, and no further secret to be kept and lost. */
function cardKeyOf(evidenceKey: Secret<Uint8Array>): Secret<Uint8Array> {
  const none = new Uint8Array(0)
  const bytes = hkdfSync('sha256', evidenceKey.reveal(), none, 'nadi card numbers', 32)
  return new Secret(new Uint8Array(bytes))
}

function evidenceKeyOf({ data }: Config, random: Random): Secret<Uint8Array> {
  const key = fromHex(ensureSecret(data.evidenceKey, random, EVIDENCE_KEY_BYTES).reveal())
  if (key?.length === EVIDENCE_KEY_BYTES) return new Secret(key)
  throw new NadiError('CONF_INVALID', {
    path: data.evidenceKey.file ?? 'data.evidenceKey',
    expected: `${EVIDENCE_KEY_BYTES} bytes in hexadecimal`,
  })
}
