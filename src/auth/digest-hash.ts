/** The hash functions of Digest. No platform has all of them: `crypto.subtle` has no MD5 and no SHA-512-256. */

/** Hashes bytes, one for each character of a text. Returns lower-case hexadecimal digits. */
export type Hash = (text: string) => string

/** The hash functions, the strongest first. RFC 7616, section 6.1. */
export const HASHES = ['SHA-512-256', 'SHA-256', 'MD5'] as const

/** The name of a hash function. */
export type HashName = (typeof HASHES)[number]

/** Loads a hash function. */
export async function loadHash(name: HashName): Promise<Hash> {
  const [{bytesToHex}, digest] = await Promise.all([
    import('@noble/hashes/utils.js'),
    loadDigest(name),
  ])
  return (text) => bytesToHex(digest(Uint8Array.from(text, (byte) => byte.charCodeAt(0))))
}

async function loadDigest(name: HashName): Promise<(bytes: Uint8Array) => Uint8Array> {
  if (name === 'MD5') return (await import('@noble/hashes/legacy.js')).md5
  const {sha256, sha512_256} = await import('@noble/hashes/sha2.js')
  return name === 'SHA-256' ? sha256 : sha512_256
}
