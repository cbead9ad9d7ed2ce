/** The time of a lock, in the Timeout header and in DAV:timeout. RFC 4918, sections 10.7 and 14.29. */

import {MAX_LOCK_SECONDS} from './bounds.ts'

/** Formats milliseconds as one value of a Timeout header, in whole seconds. SabreDAV 1.8 answers two values with 400. */
export function formatLockTimeout(milliseconds: number): string {
  if (milliseconds === Number.POSITIVE_INFINITY) return 'Infinite'
  const seconds = Math.max(1, Math.round(milliseconds / 1000))
  return `Second-${Math.min(seconds, MAX_LOCK_SECONDS)}`
}

/**
 * Decodes whole milliseconds from a DAV:timeout, whose words may have any case. Of a list the first value counts. nephele
 * 1.0.0-alpha.67 tells fractions of a second.
 *
 * @returns `undefined` for nonsense, an empty text among it.
 */
export function decodeLockTimeout(text: string): number | undefined {
  const first = text.split(',', 1)[0]?.trim()
  if (first?.toLowerCase() === 'infinite') return Number.POSITIVE_INFINITY
  const seconds = Number(/^Second-(\d+(?:\.\d+)?)$/i.exec(first ?? '')?.[1])
  if (!(seconds <= MAX_LOCK_SECONDS)) return undefined
  // Timers take whole numbers only, and zero may mean a lock without an end.
  return Math.max(Math.sign(seconds), Math.round(seconds * 1000))
}
