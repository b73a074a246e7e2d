import { REASONS } from '#message'

/** `codes:` and `say:` of a new pack, with what to fill in. */
export function codeSections(codes: string, say: string): string {
  return `# FILL IN: every code of their table, and what it means for the money. Declined says that nothing was
# paid and nothing will be: in doubt it is unknown on payment, and is then found out.
${codes}

# Codes for reasons that have none of their own; the simulator says them.
${say}`
}

/**
 * `say:` of a new pack. Every reason that no row of `codes` tells needs a code: `near` has those that
 * a code comes near to, and all others get `otherwise`.
 */
export function saySection(
  codes: string,
  near: Readonly<Record<string, string>>,
  otherwise: string,
): string {
  const codeOf = new Map<string, string>()
  for (const [code, reasons] of Object.entries(near))
    for (const reason of reasons.split(' ')) codeOf.set(reason, code)
  const silent = Object.keys(REASONS).filter(reason => !said(codes, reason))
  const lines = silent.map(reason => `  ${reason}: '${codeOf.get(reason) ?? otherwise}'`)
  return `say:\n${lines.join('\n')}\n`
}

function said(codes: string, reason: string): boolean {
  return new RegExp(`^  '[^']*': (?:[a-z-]+ )?${reason}(?:,|$)`, 'm').test(codes)
}
