/** Headers that a caller gives. RFC 9110, section 5. */

import {quoted} from '../protocol/errors.ts'
import {namesOf} from '../protocol/options.ts'

const NAME = /^[!#$%&'*+\-.^`|~\w]+$/
const VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/

/** Whether a text can be the value of a header. The platform's error for one that cannot would quote it. */
export function isHeaderValue(value: string): boolean {
  return VALUE.test(value)
}

/**
 * Headers by name in lower case.
 *
 * @throws TypeError for what can be no header; it names the header and never its value, which may be a secret.
 */
export function resolveHeaders(
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  if (Symbol.iterator in given)
    throw new TypeError("headers: give an object such as {'user-agent': 'backup/2'}")
  const headers = Array.from(namesOf(given), (name) => {
    const value = given[name]
    if (!NAME.test(name)) throw new TypeError(`headers: ${quoted(name)} can be no name of a header`)
    if (typeof value !== 'string' || !isHeaderValue(value)) {
      throw new TypeError(`headers: the value of ${name} is one that no header can have`)
    }
    return [name.toLowerCase(), value] as const
  })
  return Object.fromEntries(headers)
}
