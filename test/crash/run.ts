import { errorText } from '#base'
import { CrashTest } from './crash-test.ts'
import { readOptions, USAGE } from './options.ts'

// npm run crash-test -- --kills 20 --seed 1
// Exit code: 0 when the three books agree, 1 when they do not, 2 for wrong arguments.

process.exitCode = await main()

async function main(): Promise<number> {
  let options
  try {
    options = readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${errorText(error)}\n\n${USAGE}`)
    return 2
  }
  if (options === 'help') {
    console.log(USAGE)
    return 0
  }
  const startedMs = performance.now()
  const test = await CrashTest.create(options, line => console.error(line))
  const { report, breaks } = await test.run()
  for (const { kind, text } of breaks.slice(0, 50)) console.error(`${kind.padEnd(18)} ${text}`)
  if (options.json) console.log(JSON.stringify(report))
  else {
    const { killed, ok, ...figures } = report
    for (const [name, value] of Object.entries(figures)) console.log(`${label(name)} ${value}`)
    for (const [who, times] of Object.entries(killed)) console.log(`${label(`  ${who}`)} ${times}`)
    console.log(ok ? 'the three books agree' : `seed ${report.seed} fails`)
  }
  console.error(`${((performance.now() - startedMs) / 1000).toFixed(0)} s`)
  return report.ok ? 0 : 1
}

/** `openAfterRecovery` → `open after recovery`, as wide as the others. */
function label(name: string): string {
  return name.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`).padEnd(22)
}
