import type { Problem } from '#pack'
import type { Packs } from './checks.ts'
import type { Tree } from './tree.ts'
import { formatDuration } from './values.ts'

/** Whether what conf/ says of links over HTTP and of callbacks fits to the rest. */
export const HTTP_CHECKS: readonly ((tree: Tree, packs: Packs) => Problem[])[] = [
  dialectsFitTheirWire,
  secretsGoOverTls,
  tlsIsWhole,
  callbacksArrive,
  callbackPathsDiffer,
  callbackListenersAreUsed,
  httpRangesFit,
]

/** A pack is spoken in frames over TCP, or over HTTP; the link's file must say where to that. */
function dialectsFitTheirWire({ links, httpLinks, listeners }: Tree, packs: Packs): Problem[] {
  const framed = [...links.entries].flatMap(([name, { pack }]) => {
    if (!packs.http.has(pack)) return []
    const text = `the pack ${pack} is spoken over HTTP: the link needs url in place of host and port`
    return [{ path: links.where(name, 'pack'), text }]
  })
  const overHttp = [...httpLinks.entries].flatMap(([name, { pack }]) => {
    if (!packs.loaded.has(pack)) return []
    const text = `the pack ${pack} is spoken in frames: the link needs host and port in place of url`
    return [{ path: httpLinks.where(name, 'pack'), text }]
  })
  const heard = [...listeners.entries].flatMap(([name, { pack }]) => {
    if (!packs.http.has(pack)) return []
    const text = `the pack ${pack} is spoken over HTTP, and this listener takes frames`
    return [{ path: listeners.where(name, 'pack'), text }]
  })
  return [...framed, ...overHttp, ...heard]
}

const HERE = ['127.0.0.1', '[::1]', 'localhost']

function secretsGoOverTls({ httpLinks }: Tree): Problem[] {
  return [...httpLinks.entries].flatMap(([name, { url, plainHttp }]) => {
    const { protocol, hostname } = new URL(url)
    if (protocol === 'https:' || plainHttp || HERE.includes(hostname)) return []
    const text =
      'http:// leaves everything readable on the way; where the line itself is private, say plainHttp: true'
    return [{ path: httpLinks.where(name, 'url'), text }]
  })
}

function tlsIsWhole({ httpLinks }: Tree): Problem[] {
  return [...httpLinks.entries].flatMap(([name, { url, tls }]) => {
    if (!tls) return []
    const path = httpLinks.where(name, 'tls')
    if (!url.startsWith('https:')) return [{ path, text: 'there is no TLS where url is http://' }]
    if ((tls.certificate === undefined) === (tls.key === undefined)) return []
    return [{ path, text: 'a client certificate and its key go together: one of them is missing' }]
  })
}

function callbacksArrive({ httpLinks, callbacks }: Tree, packs: Packs): Problem[] {
  return [...httpLinks.entries].flatMap(([name, { pack, callback }]) => {
    if (!callback) return []
    const problems: Problem[] = []
    if (callbacks.names && !callbacks.names.includes(callback.listener)) {
      const text = `no listener of callbacks is called "${callback.listener}"; there are ${callbacks.names.join(', ') || 'none'}`
      problems.push({ path: httpLinks.where(name, 'callback', 'listener'), text })
    }
    const loaded = packs.http.get(pack)
    if (loaded && !loaded.callback) {
      const text = `the dialect of ${pack} has no callbacks`
      problems.push({ path: httpLinks.where(name, 'callback'), text })
    }
    return problems
  })
}

function callbackPathsDiffer({ httpLinks }: Tree): Problem[] {
  const seen = new Map<string, string>()
  return [...httpLinks.entries].flatMap(([name, { callback }]) => {
    if (!callback) return []
    const place = `${callback.listener} ${callback.path}`
    const before = seen.get(place)
    seen.set(place, before ?? name)
    if (before === undefined) return []
    const text = `callbacks to ${callback.path} are those of the link ${before}`
    return [{ path: httpLinks.where(name, 'callback', 'path'), text }]
  })
}

function callbackListenersAreUsed({ httpLinks, callbacks }: Tree): Problem[] {
  // Where the links cannot be read, nobody knows.
  if (!httpLinks.names) return []
  const used = new Set([...httpLinks.entries.values()].map(({ callback }) => callback?.listener))
  return [...callbacks.entries.keys()].flatMap(name => {
    if (used.has(name)) return []
    const text = 'no link has its callbacks here: a link names it under callback.listener'
    return [{ path: callbacks.where(name), text }]
  })
}

function httpRangesFit({ httpLinks }: Tree): Problem[] {
  return [...httpLinks.entries].flatMap(([name, { reconnectMin, reconnectMax, circuit }]) => {
    const problems: Problem[] = []
    if (reconnectMin > reconnectMax) {
      const text = `reconnectMin (${formatDuration(reconnectMin)}) is above reconnectMax (${formatDuration(reconnectMax)})`
      problems.push({ path: httpLinks.where(name, 'reconnectMin'), text })
    }
    if (circuit.atLeast > circuit.requests) {
      const text = `circuit.atLeast (${circuit.atLeast}) is above circuit.requests (${circuit.requests}): it would never trip`
      problems.push({ path: httpLinks.where(name, 'circuit', 'atLeast'), text })
    }
    return problems
  })
}
