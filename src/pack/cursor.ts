import { NadiError } from '#base'

/** The place that reading has come to inside one data element's text. */
export class Cursor {
  /** The whole frame, so that `at` is also the byte offset; or a value that is not its own text. */
  text = ''
  at = 0
  end = 0
  /** Where in the frame such a value stands; 0 when `text` is the frame. */
  base = 0
  /** `de48` */
  field = ''
  /** The list item being read: `bills`, 1. */
  list = ''
  index = 0
  /** Counts read so far, for the lists that follow them. */
  readonly counts: number[] = [0, 0, 0, 0]

  enter(text: string, start: number, end: number, field: string, base = 0): void {
    this.text = text
    this.base = base
    this.at = start
    this.end = end
    this.field = field
    this.list = ''
  }

  /** Moves over `width` characters and returns where they begin. */
  take(width: number, name: string): number {
    const start = this.at
    const next = start + width
    if (next > this.end) {
      const left = this.end - start
      throw this.wrong('PACK_FORMAT', name, start, `${width} characters`, `${left}`)
    }
    this.at = next
    return start
  }

  wrong(
    code: 'PACK_FORMAT' | 'CODEC_CONTENT',
    name: string,
    offset: number,
    expected: string,
    actual?: string,
  ): NadiError {
    const path = this.pathOf(name)
    return new NadiError(code, {
      path,
      offset: this.base + offset,
      expected,
      ...(actual ? { actual } : {}),
    })
  }

  /** `de48.bills[1].penaltyMinor`, or just `de11` for an element that holds one value. */
  pathOf(name: string): string {
    if (name === '') return this.field
    const inList = this.list === '' ? '' : `${this.list}[${this.index}].`
    return `${this.field}.${inList}${name}`
  }
}
