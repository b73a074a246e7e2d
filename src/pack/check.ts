import type { ListTree, MapEntry, MapTree, Problem, TextTree, Tree } from './source.ts'

/** Reads trees and gathers everything that is wrong with them, so that all is told at once. */
export class Check {
  readonly problems: Problem[]

  constructor(problems: Problem[]) {
    this.problems = problems
  }

  wrong(at: string, text: string): undefined {
    // What several messages share is compiled several times, and told once.
    const told = this.problems.some(one => one.path === at && one.text === text)
    if (!told) this.problems.push({ path: at, text })
    return undefined
  }

  map(tree: Tree, what: string): MapTree | undefined {
    return tree.tag === 'map' ? tree : this.wrong(tree.at, `${what} must be a map`)
  }

  list(tree: Tree, what: string): ListTree | undefined {
    return tree.tag === 'list' ? tree : this.wrong(tree.at, `${what} must be a list`)
  }

  text(tree: Tree, what: string): TextTree | undefined {
    return tree.tag === 'text' ? tree : this.wrong(tree.at, `${what} must be text`)
  }

  /** The entry of a section that must be there. */
  need(map: MapTree, key: string): MapEntry | undefined {
    return map.entries.get(key) ?? this.wrong(map.at, `"${key}" is missing`)
  }

  /** Says which keys a map may have. */
  only(map: MapTree, keys: readonly string[]): void {
    for (const [key, { at }] of map.entries) {
      if (!keys.includes(key)) {
        this.wrong(at, `"${key}" is not known here; there are ${keys.join(', ')}`)
      }
    }
  }

  oneOf<T extends string>(tree: Tree, what: string, allowed: readonly T[]): T | undefined {
    const text = this.text(tree, what)?.text
    if (text === undefined) return undefined
    const found = allowed.find(one => one === text)
    return found ?? this.wrong(tree.at, `${what} is "${text}"; there are ${allowed.join(', ')}`)
  }

  integer(tree: Tree, what: string, min: number, max: number): number | undefined {
    const text = this.text(tree, what)?.text
    if (text === undefined) return undefined
    const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN
    if (value >= min && value <= max) return value
    return this.wrong(tree.at, `${what} is "${text}"; it goes from ${min} to ${max}`)
  }
}
