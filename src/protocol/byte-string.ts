/** Text as headers have it: one character for each byte. RFC 9110, section 5.5; RFC 4648, section 4. */

/** Formats the UTF-8 bytes of a text in Base64. */
export function formatBase64(text: string): string {
  return btoa(toByteString(text))
}

/** Converts a text to its UTF-8 bytes, one character for each, as headers are given to a platform. */
export function toByteString(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

/** Restores the bytes of a value of a header. A value beyond Latin-1 was decoded from UTF-8, any other has its bytes still. */
export function restoreBytes(value: string): string {
  return /[^\0-\xFF]/.test(value) ? toByteString(value) : value
}

/** Decodes a value of a header as UTF-8; `undefined` for other bytes, and for a text that was decoded before. */
export function decodeBytes(value: string): string | undefined {
  try {
    return decodeURIComponent(value.replaceAll(/[%\x80-\xFF]/g, escapeByte))
  } catch {
    return undefined
  }
}

/** Escapes a byte for a URL. */
export function escapeByte(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).toUpperCase()}`
}
