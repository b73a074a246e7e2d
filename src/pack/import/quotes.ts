import { tidy } from './model.ts'

/** A text of YAML in quotes, on one line. */
export function inQuotes(text: string): string {
  return `'${tidy(text, 400).replaceAll("'", "''")}'`
}
