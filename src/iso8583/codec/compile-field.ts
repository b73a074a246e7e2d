import type { Compile, Composite } from './composite.ts'
import { DEPTH_MAX } from './composite.ts'
import { compileData } from './data.ts'
import { datasets } from './datasets.ts'
import { Field } from './field.ts'
import { compilePrefix } from './lengths.ts'
import { bitmapped, positional } from './numbered.ts'
import { badSpec } from './rejects.ts'
import type { CompositeSpec, Leniency } from './spec.ts'
import { tagged } from './tagged.ts'
import { compileTerminator } from './terminator.ts'
import { berTlv } from './tlv.ts'

/** Compiles fields, and all that is in them. Throws CODEC_SPEC when one contradicts itself. */
export function fieldCompiler(lenient: ReadonlySet<Leniency>): Compile {
  const compile: Compile = {
    lenient,
    field(spec, path, depth, inside) {
      // The spec's own depth was checked; templates that messages nest come on top of it.
      if (depth > DEPTH_MAX * 3) throw badSpec(path, `fields nest at most ${DEPTH_MAX} deep`)
      const anyContent = lenient.has('content-class')
      const options = { path, anyContent, lowerCaseHex: lenient.has('lower-case-hex') }
      return new Field({
        spec,
        path,
        data: compileData(spec, options),
        prefix: spec.length.form === 'prefix' ? compilePrefix(spec.length) : undefined,
        terminator: spec.length.form === 'until' ? compileTerminator(spec.length) : undefined,
        composite: inside ?? compositeOf(spec.children, path, depth, compile),
        anyContent,
      })
    },
  }
  return compile
}

function compositeOf(
  spec: CompositeSpec | undefined,
  path: string,
  depth: number,
  compile: Compile,
): Composite | undefined {
  switch (spec?.kind) {
    case undefined:
      return undefined
    case 'positional':
      return positional(spec, path, depth, compile)
    case 'bitmapped':
      return bitmapped(spec, path, depth, compile)
    case 'ber-tlv':
      return berTlv(spec, path, depth, compile)
    case 'tagged':
      return tagged(spec, path, depth, compile)
    case 'datasets':
      return datasets(spec, path, depth, compile)
  }
}
