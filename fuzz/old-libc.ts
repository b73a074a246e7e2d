import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/**
 * jazzer.js brings its addon built, for a newer C library than some systems have: it asks for
 * versions of three functions that older ones have under another name or do not need. Where the
 * addon does not load, a copy is made in which those versions are wished for and not demanded
 * (VER_FLG_WEAK, System V gABI on symbol versioning), and the three functions are compiled with the
 * system's own compiler into a library that is loaded before it. Nothing that was installed changes.
 */
const SHIM = `
#include <cstdlib>
#include <iostream>
extern "C" long __isoc23_strtol(const char *text, char **end, int base) {
  return strtol(text, end, base);
}
extern "C" unsigned long __isoc23_strtoul(const char *text, char **end, int base) {
  return strtoul(text, end, base);
}
namespace std { void ios_base_library_init() {} }
`

/** The hook that puts the copy in the place of the addon; it runs before anything else. */
const hookOf = (addon: string, copy: string): string => `
const open = process.dlopen
process.dlopen = (module, file, ...more) =>
  open.call(process, module, file === ${JSON.stringify(addon)} ? ${JSON.stringify(copy)} : file, ...more)
`

export type Loading = { readonly args: readonly string[]; readonly env: Record<string, string> }

/** How Node is to be started so that the addon loads. Throws when it cannot be made to. */
export function loadingOf(addon: string, cache: string): Loading {
  const asIs: Loading = { args: [], env: {} }
  if (loads(addon, asIs)) return asIs
  const [copy, shim, hook] = [`${cache}/fuzzer.node`, `${cache}/libshim.so`, `${cache}/hook.cjs`]
  const loading: Loading = { args: ['--require', hook], env: { LD_PRELOAD: shim } }
  if (!existsSync(copy)) {
    console.error('the addon of jazzer.js wants a newer C library; making a copy that does not')
    writeFileSync(copy, withWeakVersions(readFileSync(addon)))
    writeFileSync(hook, hookOf(addon, copy))
    const source = `${cache}/shim.cpp`
    writeFileSync(source, SHIM)
    const built = spawnSync('c++', ['-O1', '-shared', '-fPIC', '-o', shim, source])
    if (built.status !== 0) throw new Error(`c++ is needed for that: ${built.stderr.toString()}`)
  }
  if (!loads(addon, loading)) throw new Error('the addon of jazzer.js does not load here')
  return loading
}

function loads(addon: string, { args, env }: Loading): boolean {
  const code = `require(${JSON.stringify(addon)})`
  const tried = spawnSync(process.execPath, [...args, '-e', code], {
    env: { ...process.env, ...env },
  })
  return tried.status === 0
}

export function addonPath(): string {
  const fuzzer = createRequire(import.meta.url).resolve('@jazzer.js/fuzzer/package.json')
  const folder = fuzzer.slice(0, fuzzer.lastIndexOf('/'))
  return `${folder}/prebuilds/fuzzer-${process.platform}-${process.arch}.node`
}

const TOO_NEW = /^(?:GLIBC_2\.3[6-9]|GLIBC_2\.[4-9]\d|GLIBCXX_3\.4\.3[1-9])$/
const SECTION_VERNEED = 0x6ffffffe
const WEAK = 2

/**
 * ELF64, little-endian. The section of needed versions is a list of files, each with a list of
 * versions: hash (4), flags (2), index (2), offset of the name (4), bytes to the next (4).
 */
function withWeakVersions(addon: Buffer): Buffer {
  const bytes = Buffer.from(addon)
  const word = (at: number): number => Number(bytes.readBigUInt64LE(at))
  const [sections, size, count] = [word(0x28), bytes.readUInt16LE(0x3a), bytes.readUInt16LE(0x3c)]
  for (let index = 0; index < count; index++) {
    const section = sections + index * size
    if (bytes.readUInt32LE(section + 4) !== SECTION_VERNEED) continue
    const names = word(sections + bytes.readUInt32LE(section + 0x28) * size + 0x18)
    for (const version of versionsFrom(bytes, word(section + 0x18))) {
      const name = names + bytes.readUInt32LE(version + 8)
      const text = bytes.toString('latin1', name, bytes.indexOf(0, name))
      if (TOO_NEW.test(text))
        bytes.writeUInt16LE(bytes.readUInt16LE(version + 4) | WEAK, version + 4)
    }
  }
  return bytes
}

function versionsFrom(bytes: Buffer, first: number): number[] {
  const versions: number[] = []
  for (let file = first, next = -1; next !== 0; file += next) {
    let version = file + bytes.readUInt32LE(file + 8)
    for (let step = -1; step !== 0; version += step) {
      versions.push(version)
      step = bytes.readUInt32LE(version + 12)
    }
    next = bytes.readUInt32LE(file + 12)
  }
  return versions
}
