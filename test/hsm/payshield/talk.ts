import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { frame, FrameReader } from '../../../src/hsm/payshield/frame.ts'

/** A plain socket to a box: what leaves and what comes, message by message. */
export class Talk {
  readonly #socket: Socket
  readonly #reader = new FrameReader()
  readonly #messages: (string | undefined)[] = []
  #waiting: ((message: string | undefined) => void) | undefined
  #closed = false

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', chunk => {
      this.#reader.push(chunk, bytes => this.#got(bytes.toString('latin1')))
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => {
      this.#closed = true
      this.#waiting?.(undefined)
    })
  }

  static open(port: number): Promise<Talk> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Talk(socket)))
    })
  }

  send(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  say(...messages: string[]): void {
    this.send(Buffer.concat(messages.map(message => frame(message))))
  }

  /** The next message, or undefined when the other side has hung up. */
  next(): Promise<string | undefined> {
    const message = this.#messages.shift()
    if (message !== undefined || this.#closed) return Promise.resolve(message)
    return new Promise(resolve => {
      this.#waiting = got => {
        this.#waiting = undefined
        resolve(got)
      }
    })
  }

  async ask(message: string): Promise<string | undefined> {
    this.say(message)
    return this.next()
  }

  end(): void {
    this.#socket.destroy()
  }

  #got(message: string): void {
    if (this.#waiting) this.#waiting(message)
    else this.#messages.push(message)
  }
}
