import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, loadConfig } from '#config'
import { ROOT } from './daemon.ts'

/** How both zones are protected. */
const SECURITY = `
security:
  mac: { field: 128, algorithm: retail, padding: 1, bytes: 8, keyType: ZAK }
  pin: { format: 0, keyType: ZPK }
  exchange: { profile: de48, keys: [ZPK, ZAK], timeout: 2s }
`

/** The lab's configuration, with a bank at both ends instead of PLN. */
export function bankConfig(bankPort: number, security = SECURITY): Config {
  const folder = mkdtempSync(join(tmpdir(), 'nadi-bank-'))
  try {
    const conf = join(folder, 'conf')
    mkdirSync(join(folder, 'var'))
    writeBankConf(conf, { bankPort, channelPort: 0, security })
    const result = loadConfig({
      confFolder: conf,
      protocolsFolder: join(ROOT, 'protocols'),
      varFolder: join(folder, 'var'),
      env: {},
    })
    if ('problems' in result) throw new Error(JSON.stringify(result.problems, null, 2))
    return result.config
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export type BankConf = {
  readonly bankPort: number
  readonly channelPort: number
  readonly security?: string
}

/** The same as files, for a daemon in a process of its own. */
export function writeBankConf(
  conf: string,
  { bankPort, channelPort, security = SECURITY }: BankConf,
): void {
  cpSync(join(ROOT, 'conf'), conf, { recursive: true })
  const read = (file: string): string => readFileSync(join(conf, file), 'utf8')
  const write = (file: string, text: string): void => writeFileSync(join(conf, file), text)
  for (const file of ['listeners/partners-http', 'listeners/callbacks', 'links/iak'])
    rmSync(join(conf, `${file}.yaml`))
  write('nadi.yaml', read('nadi.yaml').replace(/^lab:\n(?: .*\n)*/m, ''))
  const listener = read('listeners/partners-iso.yaml')
    .replace('port: 8583', `port: ${channelPort}`)
    .replace('pln-2003-111', 'bank-1987')
  rmSync(join(conf, 'listeners/partners-iso.yaml'))
  write('listeners/channel.yaml', listener + security)
  const link = read('links/pln.yaml')
    .replace('biller: pln', 'biller: bank')
    .replace('pack: pln-2003-115', 'pack: bank-1987')
    .replace('port: 18583', `port: ${bankPort}`)
    .replace('0LOKET0000000001', 'ATM00001')
  rmSync(join(conf, 'links/pln.yaml'))
  write('links/bank.yaml', link + security)
  write('billers.yaml', 'bank:\n  title: A bank\n')
  write('partners.yaml', PARTNERS)
  write('products.yaml', PRODUCTS)
}

const PARTNERS = `
'4519001':
  name: Bank channel
  banks: ['451']
  switchers: [SWX0001]
  terminals: [ATM00001]
  products: [bank-bill]
  addresses: [127.0.0.0/8]
  openingDeposit: Rp 1.000.000.000
`

const PRODUCTS = `
bank-bill:
  title: Bills by card
  biller: bank
  links: [bank]
  maximum: Rp 9.999.999
  inquiryTimeout: 5s
  answerTimeout: 5s
  recovery: { by: reverse, attempts: 3, spacing: 200ms, timeout: 1s }
  reversalWindow: 24h
`
