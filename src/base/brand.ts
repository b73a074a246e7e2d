declare const brand: unique symbol

/** A value that is told apart from its like by name only: a Stan is not just any string. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
