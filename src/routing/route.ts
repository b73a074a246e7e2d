/**
 * The product's links in the order of its configuration, those that are ready first of all. None
 * ready means that nothing can be sent now, and a proper answer can leave at once.
 */
export function route(
  links: readonly string[],
  health: (name: string) => boolean,
): readonly [string, ...string[]] | undefined {
  const [first, ...rest] = links.filter(health)
  return first === undefined ? undefined : [first, ...rest]
}
