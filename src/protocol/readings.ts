/**
 * Reads a path in every way in which servers do. Some decode before they resolve dots, some cut parameters off segments, some
 * take a backslash for a slash. A path that is harmless in our reading may reach another resource on them. RFC 3986, sections 3.3
 * and 5.2.4.
 */

import {MAX_READINGS} from './bounds.ts'

/** The position of a path relative to another: the same resource, below it, around it, or none of these. */
export type Standing = 'same' | 'below' | 'around' | 'elsewhere'

/** One reading of two paths. */
interface Reading {
  readonly path: string
  readonly base: string
  /** Escapes were decoded: each character is a byte. */
  readonly isDecoded: boolean
  /** The parameters of one segment were cut off since. */
  readonly isCut: boolean
}

// Servers differ only for paths with one of these. `E0` and `F0` count if they begin an overlong form of an ASCII character.
const AMBIGUOUS = /[;\\]|\/\/|%(?:2f|5c|2e|3b|00|c[01]|e0%[89]|f0%8|f8%8|fc%8)/i
const CONTROL = /%(?:[01][\da-f]|7f)/i
const OVERLONG =
  /[\xC0\xC1][\x80-\xBF]|\xE0[\x80-\x9F][\x80-\xBF]|\xF0[\x80-\x8F][\x80-\xBF]{2}|\xF8[\x80-\x87][\x80-\xBF]{3}|\xFC[\x80-\x83][\x80-\xBF]{4}/g

const ANYWHERE: ReadonlySet<Standing> = new Set(['same', 'below', 'around', 'elsewhere'])

/**
 * Finds the positions of a path relative to another, in all readings. Both are absolute. With too many readings it may be
 * anywhere.
 */
export function standings(path: string, base: string): ReadonlySet<Standing> {
  const first: Reading = {path, base, isDecoded: false, isCut: false}
  const found = new Set<Standing>([standing(first)])
  if (!AMBIGUOUS.test(path) && !AMBIGUOUS.test(base)) return found
  const seen = new Set([keyOfReading(first)])
  const waiting = [first]
  for (let reading = waiting.pop(); reading !== undefined; reading = waiting.pop()) {
    for (const next of readOn(reading)) {
      if (seen.has(keyOfReading(next))) continue
      if (seen.size === MAX_READINGS) return ANYWHERE
      seen.add(keyOfReading(next))
      found.add(standing(next))
      waiting.push(next)
    }
  }
  return found
}

/** Tells if a path is below another in every reading of a server. */
export function isBelowInEachReading(path: string, base: string): boolean {
  const found = standings(path, base)
  return found.size === 1 && found.has('below')
}

/** Recognizes an escaped control character. Servers cut it off, drop it, or take it for the end of the path. */
export function hasControlCharacter(path: string): boolean {
  return CONTROL.test(path)
}

/** Yields the readings after one more step of a server. */
function* readOn({path, base, isDecoded, isCut}: Reading): Generator<Reading> {
  if (!isDecoded) yield {path: decode(path), base: decode(base), isDecoded: true, isCut: false}
  for (const step of STEPS) yield {path: step(path), base: step(base), isDecoded, isCut}
  // Cut once only: all subsets of the segments would be exponentially many readings.
  if (isCut) return
  // Some servers cut parameters off the last segment only, some off a segment of dots.
  const count = Math.max(path.split('/').length, base.split('/').length)
  for (let index = 0; index < count; index++) {
    const cut = (text: string): string => cutParameters(text, index)
    yield {path: cut(path), base: cut(base), isDecoded, isCut: true}
  }
}

const STEPS: readonly ((path: string) => string)[] = [
  (path) => path.replaceAll(/;[^/]*/g, ''),
  (path) => path.replaceAll('\\', '/'),
  (path) => path.replaceAll(OVERLONG, decodeOverlong),
  (path) => path.replaceAll(/\/{2,}/g, '/'),
  resolveDots,
  // A string of C ends at a NUL: the whole path, or one segment.
  (path) => path.replace(/\0.*$/s, ''),
  (path) => path.replaceAll(/\0[^/]*/g, ''),
]

function cutParameters(path: string, index: number): string {
  if (!path.includes(';')) return path
  const segments = path.split('/')
  const segment = segments[index]
  if (segment?.includes(';') !== true) return path
  segments[index] = segment.slice(0, segment.indexOf(';'))
  return segments.join('/')
}

function resolveDots(path: string): string {
  if (!path.includes('/.')) return path
  const kept: string[] = []
  for (const segment of path.split('/').slice(1)) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}`
}

/** Decodes an overlong sequence for a character of ASCII. UTF-8 forbids these sequences, but careless decoders accept them. */
function decodeOverlong(sequence: string): string {
  let code = sequence.startsWith('\xC1') ? 1 : 0
  for (const byte of sequence.slice(1)) code = (code << 6) | (byte.charCodeAt(0) & 0x3f)
  return code < 0x80 ? String.fromCharCode(code) : sequence
}

/** Decodes the escapes of a path to bytes, each as one character. */
function decode(path: string): string {
  return path.replaceAll(/%([\da-f]{2})/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  )
}

function standing({path, base, isDecoded}: Reading): Standing {
  const own = segmentsOf(path, isDecoded)
  const others = segmentsOf(base, isDecoded)
  const shared = Math.min(own.length, others.length)
  for (let index = 0; index < shared; index++) {
    if (own[index] !== others[index]) return 'elsewhere'
  }
  if (own.length === others.length) return 'same'
  return own.length > others.length ? 'below' : 'around'
}

function segmentsOf(path: string, isDecoded: boolean): string[] {
  const segments = path.split('/').filter((segment) => segment !== '')
  return isDecoded || !path.includes('%') ? segments : segments.map(decode)
}

function keyOfReading({path, base, isDecoded, isCut}: Reading): string {
  return `${isDecoded ? 1 : 0}${isCut ? 1 : 0}${path}\n${base}`
}
