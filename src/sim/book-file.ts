import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { renameSync, truncateSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { fromJson, toJson } from '#base'
import { Book, type BookLine, type BookStore } from './book.ts'

/**
 * The book as a file of JSON lines, append only. What was written survives the death of this
 * process (not that of the machine: a simulator needs no fsync). One write a turn, before answers
 * leave, so that whatever a counterpart was told stands in the book.
 *
 * When the book forgets its older half, the file becomes `….old`, in place of the one before: two
 * files hold what the book remembers, and nothing is ever written anew.
 */
class BookFile implements BookStore {
  readonly #path: string
  #descriptor: number
  #text = ''

  constructor(path: string) {
    this.#path = path
    this.#descriptor = openSync(path, 'a')
  }

  append(line: BookLine): void {
    this.#text += `${toJson(line)}\n`
  }

  flush(): void {
    if (this.#text === '') return
    const bytes = Buffer.from(this.#text)
    this.#text = ''
    for (let at = 0; at < bytes.length;) at += writeSync(this.#descriptor, bytes, at)
  }

  turnOver(): void {
    this.close()
    renameSync(this.#path, oldOf(this.#path))
    this.#descriptor = openSync(this.#path, 'a')
  }

  close(): void {
    this.flush()
    closeSync(this.#descriptor)
  }
}

/** The book that a file holds, kept in that file from here on; an empty one when there is no file. */
export function openBookFile(path: string, entriesMax?: number): Book {
  mkdirSync(dirname(path), { recursive: true })
  const book = new Book(entriesMax === undefined ? {} : { entriesMax })
  for (const file of [oldOf(path), path]) {
    for (const line of linesOf(file)) book.replay(line)
  }
  book.keepIn(new BookFile(path))
  return book
}

function oldOf(path: string): string {
  return `${path}.old`
}

/**
 * An unfinished last line, left by a death in mid-write, is cut off: nobody was told what it says.
 */
function* linesOf(path: string): Iterable<BookLine> {
  if (!existsSync(path)) return
  const bytes = readFileSync(path)
  const end = bytes.lastIndexOf(0x0a) + 1
  if (end < bytes.length) truncateSync(path, end)
  for (let from = 0; from < end;) {
    const to = bytes.indexOf(0x0a, from)
    yield fromJson(bytes.toString('utf8', from, to)) as BookLine
    from = to + 1
  }
}
