import { connect, type Socket } from 'node:net'
import { fromLatin1, latin1 } from '#base'

/** A partner's line in bare bytes: a length of two bytes, big-endian, that does not count itself. */
export class Line {
  readonly socket: Socket
  readonly closed: Promise<void>
  #bytes: Buffer = Buffer.alloc(0)
  #waiting: (() => void)[] = []
  #open = true

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => {})
    socket.on('data', chunk => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#nudge()
    })
    this.closed = new Promise(resolve => {
      socket.once('close', () => {
        this.#open = false
        this.#nudge()
        resolve()
      })
    })
  }

  static connect({ host, port }: { host: string; port: number }): Promise<Line> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true }, () => {
        socket.off('error', reject)
        resolve(new Line(socket))
      })
      socket.once('error', reject)
    })
  }

  get open(): boolean {
    return this.#open
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes)
  }

  send(frame: string): void {
    this.write(framed(frame))
  }

  /** Sends and takes the next frame that comes; undefined when none came in time. */
  async ask(frame: string, timeoutMs?: number): Promise<string | undefined> {
    this.send(frame)
    return this.next(timeoutMs)
  }

  async next(timeoutMs = 15_000): Promise<string | undefined> {
    const endMs = performance.now() + timeoutMs
    for (;;) {
      const frame = this.#take()
      if (frame !== undefined) return frame
      const leftMs = endMs - performance.now()
      if (leftMs <= 0 || !this.#open) return undefined
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, leftMs)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  end(): void {
    this.socket.destroy()
  }

  #take(): string | undefined {
    if (this.#bytes.length < 2) return undefined
    const end = 2 + this.#bytes.readUInt16BE(0)
    if (this.#bytes.length < end) return undefined
    const frame = latin1(this.#bytes.subarray(2, end))
    this.#bytes = this.#bytes.subarray(end)
    return frame
  }

  #nudge(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export function framed(frame: string): Buffer {
  const body = fromLatin1(frame)
  const bytes = Buffer.alloc(2 + body.length)
  bytes.writeUInt16BE(body.length)
  bytes.set(body, 2)
  return bytes
}
