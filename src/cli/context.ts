import { userInfo } from 'node:os'
import { toJson } from '#base'
import type { Config } from '#config'
import type { AdminClient } from './admin-client.ts'
import { adminOf, configOf, type GlobalOptions } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** What a command has at hand. Nothing is read before it is asked for. */
export class Context {
  readonly terminal: Terminal
  readonly options: GlobalOptions

  constructor(terminal: Terminal, options: GlobalOptions) {
    this.terminal = terminal
    this.options = options
  }

  /** The configuration. Throws ConfigProblems. */
  config(): Promise<Config> {
    return configOf(this.options, this.terminal.env)
  }

  admin(): Promise<AdminClient> {
    return adminOf(this.options, this.terminal.env)
  }

  get json(): boolean {
    return this.options.json === true
  }

  /** One JSON value for programs, or what `people` prints. */
  print(data: unknown, people: () => void): void {
    if (this.json) this.terminal.out(toJson(data, 2))
    else people()
  }

  /** Who acts: the person behind sudo, else the user of this process. */
  whoami(): string {
    const { env } = this.terminal
    return env['SUDO_USER'] || env['USER'] || env['LOGNAME'] || userInfo().username
  }
}
