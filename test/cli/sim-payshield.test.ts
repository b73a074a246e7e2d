import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { test } from 'tap'

const NADI = new URL('../../bin/nadi', import.meta.url).pathname

/** The address that the program says it listens on. */
async function addressOf(program: ChildProcess): Promise<{ host: string; port: number }> {
  for await (const line of createInterface({ input: program.stdout as NodeJS.ReadableStream })) {
    const found = /listens on (.+):(\d+)$/.exec(line)
    if (found) return { host: found[1] as string, port: Number(found[2]) }
  }
  throw new Error('it ended without an address')
}

/** One host command and its answer: two bytes of length, the header, the rest. */
async function ask(place: { host: string; port: number }, command: string): Promise<string> {
  const socket = connect(place)
  const text = Buffer.from(command, 'latin1')
  socket.write(Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), text]))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString('latin1', 2)
}

test('nadi sim payshield is an HSM in a process of its own', async t => {
  const program = spawn(NADI, ['sim', 'payshield', '--port', '0', '--firmware', '1234-5678'])
  t.teardown(() => program.kill())
  const place = await addressOf(program)
  const diagnostics = await ask(place, '0042NC')
  t.match(diagnostics, /^0042ND00[0-9A-F]{16}1234-5678$/, 'no errors, check value, firmware')
  t.match(await ask(place, '0043ZZ'), /^0043.{2}68$/, 'it does not know every command')
  program.kill('SIGTERM')
  const [code] = (await once(program, 'exit')) as [number | null]
  t.equal(code, 0, 'it ends when told to')
})
