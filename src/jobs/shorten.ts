/** Shortens keys that are too long for an index. */

import {createHash} from 'node:crypto'

/** The most characters of a path or a name. PostgreSQL takes no row of an index with 2,700 bytes. */
const LONGEST_TEXT = 2300

/** The sign before a path or a name that was too long, which no URL has. Its resources have their whole URL beside them. */
export const SHORTENED = '^'

/** Shortens a text to one that an index can hold. */
export function shorten(text: string): string {
  return text.length <= LONGEST_TEXT ? text : SHORTENED + hash(text)
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
