import { localTimeMs, plain } from '#base'
import type { CaseReport, Crossed, Report } from '#conformance'
import { formatTime } from '../words.ts'

/** The report as a document that can be sent to the other side: masked, complete, and readable. */
export function markdown(report: Report): string {
  const { pack, against, startedAt, counts, remarks, cases } = report
  const at = localTimeMs(startedAt)
  return [
    `# Conformance of ${pack}`,
    '',
    `Against ${inline(against)}, ${at === undefined ? startedAt : `${formatTime(at)} WIB`}.`,
    `**${counts.passed} passed, ${counts.failed} failed, ${counts.left} not tried.**`,
    '',
    ...remarks.flatMap(remark => [`- ${inline(remark)}`]),
    ...(remarks.length > 0 ? [''] : []),
    '| verdict | product | case | number | how it ended |',
    '| --- | --- | --- | --- | --- |',
    ...cases.map(row),
    '',
    'What is sensitive is masked: names by their first letters, tokens and secrets whole.',
    ...cases.flatMap((one, index) => section(one, index + 1)),
    '',
  ].join('\n')
}

function row({ verdict, product, name, number, end }: CaseReport): string {
  return `| ${verdict} | ${product} | ${name} | ${number} | ${cell(end)} |`
}

function section(one: CaseReport, index: number): string[] {
  const { name, product, text, number, verdict, end, remarks, crossed } = one
  return [
    '',
    `## ${index}. ${product}: ${name}`,
    '',
    `${inline(text)}. Number ${number}.`,
    '',
    `**${verdict}**: ${inline(end)}`,
    ...remarks.map(remark => `- ${inline(remark)}`),
    ...crossed.flatMap(message => wire(message, crossed[0]?.atMs ?? 0)),
  ]
}

function wire({ atMs, direction, what, lines }: Crossed, fromMs: number): string[] {
  return [
    '',
    `${direction} after ${atMs - fromMs} ms: ${inline(what)}`,
    '',
    '```',
    ...lines.map(line => plain(line).replaceAll('```', "'''")),
    '```',
  ]
}

/** Text of others in a line of Markdown: no mark-up, no line of its own. */
function inline(text: string): string {
  return plain(text).replace(/[\\`*_<>[\]#|]/g, '\\$&')
}

function cell(text: string): string {
  return inline(text)
}
