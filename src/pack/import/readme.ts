import { type Described, type DraftedKind, tidy } from './model.ts'

/** README.md of a draft: what it was made of, and the questions of the next person. */
export function writeReadme(
  { title, language, server, operations }: Described,
  product: string,
  kinds: readonly DraftedKind[],
): string {
  const names = operations.map(({ name }) => `\`${tidy(name).replaceAll('`', '')}\``)
  return `# ${tidy(title) || 'A biller'}

The first draft, made of a description in ${language}. FILL IN: who the biller is, and which version and
date of it this was made from.

| file         | what it says                                                      |
| ------------ | ----------------------------------------------------------------- |
| pack.yaml    | the dialect: products, messages, codes, what is done in doubt     |
| samples.yaml | frames with their meaning; the tests read each and write it again |

## What was seen, and what is supposed

Seen: the names and types of what is sent, for ${kinds.join(', ')}. Their operations are ${names.join(', ')}.
Supposed: all else. What each field and code means was guessed by names, or is marked FILL IN. The
samples were written by the pack itself.

The host stands in the link's file, not here: ${tidy(server ?? 'the description does not name it', 200)}.

## How an unanswered payment is found out

FILL IN: what their document says of timeouts, reversals and repeats, and what they do when a
\`${product}\` payment comes twice.
`
}
