/** Formats text for headers that have room for ASCII only. RFC 4648, section 4. */

/** Formats the UTF-8 bytes of a text in Base64. */
export function formatBase64(text: string): string {
  return btoa(toByteString(text))
}

/** Converts a text to its UTF-8 bytes, one character for each, as headers are given to a platform. */
export function toByteString(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}
