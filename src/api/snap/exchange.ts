import type { TxnId } from '#base'
import type { Evidence } from '#journal'
import type { Message } from '#message'
import type { Incoming } from '#switch'
import type { SnapCall, SnapParts } from './parts.ts'
import { SnapRefusal } from './refusal.ts'

/** The answer's frame; undefined for what cannot be told yet. */
export type Write = (answer: Message, payment: TxnId | undefined) => Uint8Array

/**
 * Hands a message to the switch and resolves with the frame that it answers, which was recorded
 * before it was made known (law 1). Undefined when it takes longer than the bank waits.
 */
export function exchange(
  { name, clock, switch: theSwitch, answerWaitMs }: SnapParts,
  { bank, service, frame }: SnapCall,
  message: Message,
  write: Write,
): Promise<Uint8Array | undefined> {
  const evidence = (direction: 'in' | 'out', bytes: Uint8Array): Evidence => ({
    atMs: clock.nowMs(),
    side: 'source',
    direction,
    via: name,
    pack: service.pack.name,
    bytes,
  })
  return new Promise((resolve, reject) => {
    const callOff = clock.at(clock.nowMs() + answerWaitMs, () => resolve(undefined))
    const incoming: Incoming = {
      message,
      atMs: clock.nowMs(),
      sessionPartner: bank.asker.id,
      evidence: evidence('in', frame),
      write: (answer, payment) => evidence('out', write(answer, payment)),
      send({ bytes }) {
        callOff()
        resolve(bytes)
      },
      drop() {
        callOff()
        reject(new SnapRefusal('internal'))
      },
    }
    theSwitch.accept(incoming)
  })
}
