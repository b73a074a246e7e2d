/**
 * Text that came from outside, made harmless: what a terminal would obey is shown as `?`, so that a
 * name in a bill cannot move the cursor or change what was printed before.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

/** Words filled into lines of at most `width`; a longer word is cut into pieces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter(each => each !== '')) {
    for (let rest = word; rest !== ''; rest = rest.slice(width)) {
      const piece = rest.slice(0, width)
      if (line !== '' && line.length + 1 + piece.length > width) {
        lines.push(line)
        line = ''
      }
      line += line === '' ? piece : ` ${piece}`
    }
  }
  if (line !== '') lines.push(line)
  return lines
}
