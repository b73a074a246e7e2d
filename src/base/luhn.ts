/** Whether the last digit is the check digit of those before it (ISO/IEC 7812-1, annex B). */
export function luhn(digits: string): boolean {
  return luhnSum(digits) % 10 === 0
}

/** The digit to put behind these, so that `luhn` holds. */
export function luhnDigit(digits: string): string {
  return String((10 - (luhnSum(`${digits}0`) % 10)) % 10)
}

function luhnSum(digits: string): number {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 0x30
    const twice = digit * 2
    sum += place % 2 === 0 ? digit : twice > 9 ? twice - 9 : twice
  }
  return sum
}
