import type { Problem } from '#pack'
import type { Tree } from './tree.ts'

/** Whether what partners' entries say of the HTTP API fits to the rest. */
export const API_CHECKS: readonly ((tree: Tree) => Problem[])[] = [
  identityIsOwn,
  keysDiffer,
  certificatesDiffer,
]

/** What its requests say of themselves must be among what the partner may name. */
function identityIsOwn({ partners }: Tree): Problem[] {
  return [...partners.entries].flatMap(([id, { api, banks, switchers, terminals }]) => {
    if (!api) return []
    const parts = [
      ['bank', api.bank, banks],
      ['switcher', api.switcher, switchers],
      ['terminal', api.terminal, terminals],
    ] as const
    return parts.flatMap(([name, value, own]) => {
      if (own.includes(value)) return []
      const text = `api.${name} is none of this partner's ${name}s: ${own.slice(0, 8).join(', ')}`
      return [{ path: partners.where(id, 'api', name), text }]
    })
  })
}

/** A key tells whose it is, so no two partners may have one of the same name. */
function keysDiffer({ partners }: Tree): Problem[] {
  const uses = [...partners.entries].flatMap(([id, { api }]) =>
    (api?.keys ?? []).map((key, at) => ({
      name: key.id,
      path: partners.where(id, 'api', 'keys', at),
    })),
  )
  return twice(uses, name => `the key ${name} stands here twice`)
}

function certificatesDiffer({ partners }: Tree): Problem[] {
  const uses = [...partners.entries].flatMap(([id, { api }]) =>
    (api?.certificates ?? []).map((name, at) => ({
      name,
      path: partners.where(id, 'api', 'certificates', at),
    })),
  )
  return twice(uses, name => `the certificate ${name.slice(0, 16)}… stands here twice`)
}

type Use = { readonly name: string; readonly path: string }

function twice(uses: readonly Use[], say: (name: string) => string): Problem[] {
  return uses
    .filter(({ name }, at) => uses.findIndex(use => use.name === name) < at)
    .map(({ name, path }) => ({ path, text: say(name) }))
}
