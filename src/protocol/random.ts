/** Makes unguessable text. Not by `randomUUID`, which browsers have on https pages only. */

/** Makes a word of 128 random bits: 32 hexadecimal digits. */
export function randomHex(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
