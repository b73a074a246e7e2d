/**
 * Dumps as other programs print them, one or several after the other; the offset begins again
 * with each:
 *
 *     hexdump -C   00000000  30 38 30 30 82 20 00 00  00 00 00 00 04 00 00 00  |0800. ..........|
 *     xxd          00000000: 3038 3030 8220 0000 0000 0000 0400 0000  0800. ..........
 *     tcpdump -X   	0x0000:  4500 0067 5b2a 4000 4006 e164 7f00 0001  E..g[*@.@..d....
 *     Wireshark    0000   30 38 30 30 82 20 00 00 00 00 00 00 04 00 00 00   0800. ..........
 */
const LINE = /^\s*(?:0x)?([0-9a-f]{4,8})(:\s{1,3}|\s{2,4})(\S.*)$/i
/** Bytes one by one or in groups, with one space between them. */
const HEX = /^(?:[0-9a-f]{2})+(?: (?:[0-9a-f]{2})+)*$/i
const HALF_LINE_BYTES = 8

const BYTES_MAX = 4_000_000

type Line = { readonly offset: number; readonly bytes: Buffer }

export function isDump(text: string): boolean {
  const lines = text.split(/\r?\n/).filter(line => line.trim() !== '')
  const dumped = lines.map(dumpLine).filter(line => line !== undefined)
  return dumped.length > 0 && dumped[0]?.offset === 0 && follows(dumped)
}

/** Whether each offset is where the line before ended, or begins a new dump. */
function follows(lines: readonly Line[]): boolean {
  let end = 0
  for (const { offset, bytes } of lines) {
    if (offset !== 0 && offset !== end) return false
    end = offset + bytes.length
  }
  return true
}

export function readDumps(text: string): Uint8Array[] {
  const dumps: Buffer[][] = []
  let taken = 0
  for (const line of text.split(/\r?\n/)) {
    const dumped = dumpLine(line)
    if (!dumped || taken > BYTES_MAX) continue
    taken += dumped.bytes.length
    if (dumped.offset === 0) dumps.push([])
    dumps.at(-1)?.push(dumped.bytes)
  }
  return dumps.map(parts => withoutTcp(Buffer.concat(parts))).filter(frame => frame.length > 0)
}

function dumpLine(line: string): Line | undefined {
  const [, offset = '', sign = '', rest = ''] = LINE.exec(line) ?? []
  const hex = hexPart(rest, sign.startsWith(':'))
  return hex ? { offset: parseInt(offset, 16), bytes: hex } : undefined
}

/** What stands before the column of characters, which may look like hexadecimal too. */
function hexPart(rest: string, isGrouped: boolean): Buffer | undefined {
  const bar = rest.indexOf('|')
  const [first = '', second = ''] = (bar < 0 ? rest : rest.slice(0, bar)).trim().split(/\s{2,}/)
  if (!HEX.test(first)) return undefined
  const bytes = bytesOf(first)
  // One by one, a wider gap stands in the middle of a line.
  const goesOn = !isGrouped && bytes.length === HALF_LINE_BYTES && isSingle(second)
  return goesOn ? Buffer.concat([bytes, bytesOf(second)]) : bytes
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex')
}

function isSingle(text: string): boolean {
  return /^[0-9a-f]{2}(?: [0-9a-f]{2}){0,7}$/i.test(text)
}

const ETHERNET_BYTES = 14

/** What TCP carried, where the dump is of a packet: its IP header says how long all of it is. */
function withoutTcp(packet: Buffer): Uint8Array {
  for (const at of [0, ETHERNET_BYTES]) {
    const ip = packet.subarray(at)
    const isIp = ip.length >= 40 && (ip[0] as number) >> 4 === 4 && ip[9] === 6
    if (!isIp || ip.readUInt16BE(2) > ip.length || ip.readUInt16BE(2) < 40) continue
    const tcp = ip.subarray(((ip[0] as number) & 15) * 4, ip.readUInt16BE(2))
    const dataAt = ((tcp[12] ?? 0) >> 4) * 4
    if (dataAt >= 20 && dataAt <= tcp.length) return tcp.subarray(dataAt)
  }
  return packet
}
