/**
 * Refuses a misspelt condition of a target, which would be no condition at all. RFC 9110, section 13.1.1; RFC 4918, section 10.4.
 */

import {editDistance, namesOf, unknownOption} from '../protocol/options.ts'

const MOST_MISTAKES = 2

/**
 * Checks the names of a target's members. A result, or another object with a `url`, may have members of its own; a name that
 * is nearly a condition is refused there too.
 *
 * @param members - An object with the names that a target with conditions may have.
 * @throws TypeError
 */
export function assertConditions(target: unknown, members: object): void {
  if (typeof target !== 'object' || target === null || isUrl(target)) return
  const isResult = 'url' in target
  const known = Object.keys(members)
  const conditions = known.filter((name) => name !== 'href')
  for (const name of namesOf(target)) {
    if (known.includes(name)) continue
    if (!isResult) throw unknownOption('target', name, known)
    if (conditions.some((condition) => editDistance(name, condition) <= MOST_MISTAKES))
      throw unknownOption('target', name, conditions)
  }
}

/** Recognizes a URL of any realm. */
function isUrl(value: object): boolean {
  return value instanceof URL || Object.prototype.toString.call(value) === '[object URL]'
}
