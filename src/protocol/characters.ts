/** Codes of ASCII characters that the readers of markup and of headers look for. Imports nothing. */

export const TAB = 0x09
export const LINE_FEED = 0x0a
export const RETURN = 0x0d
export const SPACE = 0x20
export const EXCLAMATION = 0x21
export const QUOTATION = 0x22
export const PERCENT = 0x25
export const AMPERSAND = 0x26
export const APOSTROPHE = 0x27
export const SLASH = 0x2f
const ZERO = 0x30
export const SEMICOLON = 0x3b
export const LESS = 0x3c
export const GREATER = 0x3e
export const QUESTION = 0x3f
export const BRACKET = 0x5d

/** Decodes the digits between two indices; -1 if one of them is no digit. Cuts no text out, because listings have many dates. */
export function decodeDigits(text: string, from: number, to: number): number {
  let number = 0
  for (let index = from; index < to; index++) {
    const digit = text.charCodeAt(index) - ZERO
    if (!(digit >= 0 && digit <= 9)) return -1
    number = number * 10 + digit
  }
  return number
}
