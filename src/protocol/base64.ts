/** Formats text for headers that have room for ASCII only. RFC 4648, section 4. */

/** Formats the UTF-8 bytes of a text in Base64. */
export function formatBase64(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
