import { copyFileSync, rmSync } from 'node:fs'
import { openBookFile, type Payment } from '#sim'
import { Started } from './process.ts'

/** The simulated biller as a process of its own; its book is a file that outlives it. */
export class BillerProcess {
  readonly port: number
  readonly #bookFile: string
  readonly #logFile: string
  #process: Started | undefined

  constructor(port: number, bookFile: string, logFile: string) {
    this.port = port
    this.#bookFile = bookFile
    this.#logFile = logFile
  }

  async start(): Promise<void> {
    const args = ['sim', 'pln-2003-115', '--port', `${this.port}`, '--book', this.#bookFile]
    this.#process = new Started(args, {}, this.#logFile)
    await this.#process.ready(/listens on/)
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#process?.kill(signal)
  }

  /** What it believes now; of a copy, since the file may be at work. */
  payments(): Payment[] {
    const copy = `${this.#bookFile}.copy`
    copyFileSync(this.#bookFile, copy)
    const book = openBookFile(copy)
    const payments = [...book.entries()]
    book.close()
    rmSync(copy)
    return payments
  }
}
