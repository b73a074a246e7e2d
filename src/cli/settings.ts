import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { NadiError, programFolder, Secret } from '#base'
import type { Config, ConfigPlaces, ConfigResult } from '#config'
import type { Problem } from '#pack'
import { AdminClient } from './admin-client.ts'
import { UsageError } from './usage.ts'

/** Options that every command knows. */
export type GlobalOptions = {
  readonly json?: boolean
  readonly conf?: string
  readonly var?: string
  readonly protocols?: string
  readonly set?: readonly string[]
  readonly admin?: string
  readonly tokenFile?: string
}

type Env = Readonly<Record<string, string | undefined>>

/** The configuration is wrong; every problem of it. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('the configuration is wrong')
    this.problems = problems
  }
}

export function programVersion(): string {
  const text = readFileSync(join(programFolder(), 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** Loaded when it is asked for: most command lines end without it, and it is large. */
export async function placesOf(options: GlobalOptions, env: Env): Promise<ConfigPlaces> {
  const { placesFrom } = await import('#config')
  const told = {
    ...env,
    ...(options.conf !== undefined && { NADI_CONF: options.conf }),
    ...(options.var !== undefined && { NADI_VAR: options.var }),
    ...(options.protocols !== undefined && { NADI_PROTOCOLS: options.protocols }),
  }
  return placesFrom(told, programFolder(), options.set ?? [])
}

export async function readConfig(options: GlobalOptions, env: Env): Promise<ConfigResult> {
  const { loadConfig } = await import('#config')
  return loadConfig(await placesOf(options, env))
}

/** Throws ConfigProblems. */
export async function configOf(options: GlobalOptions, env: Env): Promise<Config> {
  const result = await readConfig(options, env)
  if ('problems' in result) throw new ConfigProblems(result.problems)
  return result.config
}

/**
 * The admin API: where `--admin` and `--token-file` say (NADI_ADMIN, NADI_TOKEN_FILE), else where
 * the configuration does. Who says both needs no configuration.
 */
export async function adminOf(options: GlobalOptions, env: Env): Promise<AdminClient> {
  const where = options.admin ?? env['NADI_ADMIN']
  const tokenFile = options.tokenFile ?? env['NADI_TOKEN_FILE']
  const config = where && tokenFile ? undefined : await configOf(options, env)
  const token = tokenFile ? readToken(tokenFile) : config?.admin.token?.value
  if (!token) throw noToken(config)
  return new AdminClient(where ? baseOf(where) : new URL(addressOf(config as Config)), token)
}

function noToken(config: Config | undefined): Error {
  if (config && config.admin.operators.length > 0)
    return new UsageError(
      'each operator has a token of their own: --token-file, or NADI_TOKEN_FILE, says where yours is',
    )
  return new NadiError('ADMIN_UNREACHABLE', {
    path: config?.admin.token?.file ?? 'admin token',
    hint: "the token is made when the daemon first starts ('nadi start'); --token-file says where it is",
  })
}

function baseOf(where: string): URL {
  const text = where.includes('://') ? where : `http://${where}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new UsageError(`--admin is no address: ${where}; wanted is host:port or a URL`)
}

function addressOf({ admin: { host, port } }: Config): string {
  return `http://${reachable(host)}:${port}`
}

/** An address to listen on as an address to dial. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function readToken(file: string): Secret<string> {
  try {
    return new Secret(readFileSync(file, 'utf8').trim())
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`the token file ${file} cannot be read (${code})`)
  }
}
