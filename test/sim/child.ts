import { loadPacks } from '#config'
import type { Pack } from '#pack'
import { runSimulator } from '#sim'

/** The simulator as a process of its own, for tests that kill it. */
const [, , bookFile = ''] = process.argv
await runSimulator({
  pack: loadPacks('protocols').packs.get('pln-2003-115') as Pack,
  host: '127.0.0.1',
  port: 0,
  controlPort: 0,
  bookFile,
})
