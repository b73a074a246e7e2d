import type { Clock } from '#base'
import type { Evidence } from '#journal'
import type { Message } from '#message'
import type { Switch } from '#switch'

/**
 * Hands a partner's request to a switch, and resolves with what the partner is told; undefined when
 * nothing is. Its frames are no more than that they were there: what is said here is no dialect.
 */
export function askSwitch(
  theSwitch: Pick<Switch, 'accept'>,
  clock: Clock,
  partner: string,
  message: Message,
): Promise<Message | undefined> {
  return new Promise(resolve => {
    const answers = new Map<Evidence, Message>()
    const evidence = (direction: 'in' | 'out'): Evidence => ({
      atMs: clock.nowMs(),
      side: 'source',
      direction,
      via: 'test',
      pack: 'test',
      bytes: new Uint8Array(1),
    })
    theSwitch.accept({
      message,
      atMs: clock.nowMs(),
      sessionPartner: partner,
      evidence: evidence('in'),
      write(answer) {
        const written = evidence('out')
        answers.set(written, answer)
        return written
      },
      send: written => resolve(answers.get(written)),
      drop: () => resolve(undefined),
    })
  })
}
