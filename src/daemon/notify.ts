import { execFile } from 'node:child_process'
import type { Clock } from '#base'

/**
 * Tells systemd how we are (sd_notify(3)): one datagram on a Unix socket. Node has no Unix datagram
 * sockets, so the program systemd-notify speaks for us; the unit therefore says NotifyAccess=all.
 * It waits until systemd has read the message, so that it is known to be ours.
 *
 * The socket is taken out of the environment: the database server and whatever else we start must
 * not speak in our name.
 */
const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env
delete process.env['NOTIFY_SOCKET']
delete process.env['WATCHDOG_USEC']

const PATIENCE_MS = 5000

/**
 * `READY=1`, `STOPPING=1`, `STATUS=…`. Without systemd it does nothing. Never fails: if it cannot
 * be said, systemd's own time limits decide. Resolves with whether it was said.
 */
export function notifySystemd(state: string): Promise<boolean> {
  if (!NOTIFY_SOCKET) return Promise.resolve(false)
  const options = { timeout: PATIENCE_MS, env: { ...process.env, NOTIFY_SOCKET } }
  return new Promise(resolve => {
    execFile('systemd-notify', [state], options, error => resolve(!error))
  })
}

/**
 * Keeps systemd's watchdog quiet while `alive` says yes, three times in each of its periods. An
 * event loop that does not turn says nothing, and the process is ended and started again. Returns
 * the way to end it.
 */
export function keepWatchdog(clock: Clock, alive: () => boolean): () => void {
  const periodMs = Number(WATCHDOG_USEC ?? 0) / 1000
  if (!(periodMs > 0)) return () => {}
  let cancel = (): void => {}
  const beat = (): void => {
    if (alive()) void notifySystemd('WATCHDOG=1')
    cancel = clock.at(clock.nowMs() + periodMs / 3, beat)
  }
  beat()
  return () => cancel()
}
