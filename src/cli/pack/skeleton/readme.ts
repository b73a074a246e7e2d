/** README.md of a new pack: the questions that the next person has. */
export function readmeSkeleton(name: string, product: string): string {
  return `# ${name}

FILL IN: who the biller is, and which document (title, version, date) this was made from.

| file         | what it says                                                      |
| ------------ | ----------------------------------------------------------------- |
| pack.yaml    | the dialect: products, messages, codes, what is done in doubt     |
| samples.yaml | frames with their meaning; the tests read each and write it again |

## What was seen, and what is supposed

FILL IN: what comes from a document, what from messages that were seen, and what nobody has confirmed.
Everything in this folder is supposed until then: \`nadi pack new\` wrote it.

## How an unanswered payment is found out

FILL IN: what their document says of timeouts, reversals and repeats, and what they do when a
\`${product}\` payment comes twice.

## Simulator

\`nadi sim ${name} --port 18600\` is a counterpart made of this pack. Numbers that begin with 9999 have
bills, and those that end in 900 to 999 act out one scenario each. \`nadi pack test ${name}\` runs them all.
`
}
