import { isNadiError, NadiError } from '#base'
import type {
  CompileOptions,
  IsoCodec,
  IsoDraft,
  IsoMessage,
  IsoPath,
  IsoProblem,
  IsoWriter,
  PlainMessage,
} from './codec.ts'
import { Draft } from './draft.ts'
import { compileLayout, type Layout } from './layout.ts'
import { Message } from './message.ts'
import { compilePath } from './path.ts'
import { fillPlain } from './plain.ts'
import { pathsOf } from './overlay.ts'
import { badSpec, badValue } from './rejects.ts'
import { keepWhole, scanFrame } from './scan.ts'
import type { MessageSpec } from './spec.ts'
import { problemsOf } from './validate.ts'
import { DraftWriter, PlaceWriter } from './writer.ts'

/** Paths that one codec keeps resolved; they come from code and tables, so this is never reached. */
const PATHS_MAX = 1000

/**
 * Makes a codec of a dialect. Throws CODEC_SPEC, naming the field, when the spec contradicts itself.
 * A codec keeps nothing between calls but what the spec says; parsing and building are synchronous.
 */
export function compileSpec(spec: MessageSpec, options: CompileOptions = {}): IsoCodec {
  return new Codec(spec, options)
}

class Codec implements IsoCodec {
  readonly spec: MessageSpec
  readonly #layout: Layout
  readonly #paths = new Map<string, IsoPath>()

  constructor(spec: MessageSpec, { lenient = [] }: CompileOptions) {
    this.spec = spec
    this.#layout = compileLayout(spec, new Set(lenient))
    checkOverlayPaths(this.#layout)
  }

  parse(frame: Uint8Array): IsoMessage {
    scanFrame(this.#layout, frame)
    return new Message(this, this.#layout, frame)
  }

  parsePartly(frame: Uint8Array): {
    readonly message: IsoMessage
    readonly error: NadiError | undefined
  } {
    let error: NadiError | undefined
    try {
      scanFrame(this.#layout, frame)
    } catch (thrown) {
      if (!isNadiError(thrown)) throw thrown
      error = thrown
      keepWhole()
    }
    return { message: new Message(this, this.#layout, frame), error }
  }

  create(mti: string): IsoDraft {
    return new Draft(this.#layout, mti)
  }

  prefixOf(number: number): number {
    const field = this.#layout.steady[number]
    return field?.literal ? field.quick : -1
  }

  writer(): IsoWriter {
    const { bitmap, tertiary } = this.#layout
    return bitmap && !tertiary
      ? new PlaceWriter(this.#layout, bitmap)
      : new DraftWriter(this.#layout)
  }

  path(path: string): IsoPath {
    const known = this.#paths.get(path)
    if (known) return known
    const compiled = compilePath(this.#layout, path)
    if (this.#paths.size < PATHS_MAX) this.#paths.set(path, compiled)
    return compiled
  }

  fromPlain(plain: PlainMessage): Uint8Array {
    if (typeof plain?.mti !== 'string') throw badValue('mti', 'four digits, or nothing')
    const draft = new Draft(this.#layout, plain.mti)
    const { fields, variants } = this.#layout
    if (plain.header !== undefined) draft.setHeader(headerOf(plain.header))
    fillPlain(draft, plain.fields, number => variants?.fieldOf(number, draft) ?? fields[number])
    return draft.build()
  }

  validate(message: IsoMessage, request?: IsoMessage): readonly IsoProblem[] {
    return problemsOf(message, request, path => this.path(path))
  }
}

/** Rules about fields that cannot be would never be broken. */
function checkOverlayPaths(layout: Layout): void {
  for (const { spec } of layout.overlays) {
    for (const path of pathsOf(spec)) {
      try {
        compilePath(layout, path)
      } catch (error) {
        if (!isNadiError(error)) throw error
        throw badSpec(path, 'an overlay names it, and the dialect cannot have it')
      }
    }
  }
}

function headerOf(hex: string): Uint8Array {
  if (typeof hex !== 'string' || !/^(?:[0-9a-fA-F]{2})*$/.test(hex))
    throw badValue('header', 'hexadecimal digits')
  return Buffer.from(hex, 'hex')
}
