import { writeFileSync } from 'node:fs'
import { errorText, plain } from '#base'
import type { CaseReport, Report } from '#conformance'
import type { Context } from '../context.ts'
import { EXIT, UsageError } from '../usage.ts'
import { markdown } from './report.ts'

/** Prints how it went, writes the report; the exit code. */
export function told(context: Context, report: Report, file: string | undefined): number {
  const { terminal } = context
  if (file !== undefined) writeReport(file, markdown(report))
  const { passed, failed, left } = report.counts
  context.print(report, () => {
    for (const remark of report.remarks) terminal.out(terminal.paint.dim(plain(remark)))
    const words = `${passed} passed, ${failed} failed, ${left} not tried`
    terminal.out(report.ok ? terminal.paint.green(words) : terminal.paint.red(words))
    if (file !== undefined) terminal.out(`The report is in ${file}.`)
  })
  return report.ok ? EXIT.ok : EXIT.failed
}

function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UsageError(`the report cannot be written: ${errorText(error)}`)
  }
}

export function caseLine({ terminal: { paint } }: Context, one: CaseReport): string {
  const brush = { passed: paint.green, failed: paint.red, left: paint.yellow }[one.verdict]
  const remarks = one.remarks.map(plain).join('; ')
  return `${brush(one.verdict)}  ${one.product} ${one.name}: ${plain(one.end)}${remarks ? ` (${remarks})` : ''}`
}
