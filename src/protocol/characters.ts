/** Codes of the ASCII characters that the readers of markup, paths and header fields look for. */

export const TAB = 0x09
export const LINE_FEED = 0x0a
export const RETURN = 0x0d
export const SPACE = 0x20
export const EXCLAMATION = 0x21
export const QUOTATION = 0x22
export const AMPERSAND = 0x26
export const APOSTROPHE = 0x27
export const DASH = 0x2d
export const SLASH = 0x2f
export const ZERO = 0x30
export const SEMICOLON = 0x3b
export const LESS = 0x3c
export const GREATER = 0x3e
export const QUESTION = 0x3f
export const BRACKET = 0x5d
