import { refuse, refuseSize, type Remark } from './model.ts'

/** Where in the description something stands. */
type At = { readonly line: number }

/** What is said of a description while it is read: each with its file and line. */
export class Notes {
  readonly file: string
  readonly remarks: Remark[] = []

  constructor(file: string) {
    this.file = file
  }

  remark({ line }: At, text: string): void {
    this.remarks.push({ path: `${this.file}:${line}`, text })
  }

  /** Throws DOCUMENT_SYNTAX: it is not what it must be. */
  refuse({ line }: At, expected: string): never {
    return refuse(this.file, line, expected)
  }

  /** Throws DOCUMENT_LIMIT: it is larger or deeper than is read. */
  refuseSize({ line }: At, expected: string): never {
    return refuseSize(this.file, line, expected)
  }
}
