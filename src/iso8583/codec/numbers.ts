/** Data elements of three bitmaps. */
export const NUMBER_MAX = 192
