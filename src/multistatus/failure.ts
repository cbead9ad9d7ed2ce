/** Makes the Failure of one resource from its known facts. RFC 4918, section 13. */

import type {Failure} from './result.ts'

/** The facts of a Failure. An absent fact has no member, so that a Failure stays equal to itself after JSON. */
export type FailureFacts = Pick<Failure, 'url' | 'status' | 'reason'> & {
  readonly [Name in Exclude<keyof Failure, 'ok' | 'members'>]?: Failure[Name] | undefined
}

/** The facts of an answer that does not tell the outcome. */
export const UNREADABLE = {status: 0, reason: 'no-answer', cause: 'unreadable'} as const

/** Makes a Failure. Defaults: the path of the URL as href, relation `self`, no conditions and no properties. */
export function createFailure(facts: FailureFacts): Failure {
  const {url, href = pathOf(url), relation = 'self', status, reason, cause} = facts
  const {conditions = [], conditionUrls = [], missing = [], description, location} = facts
  const {request, retryAfter} = facts
  return {
    ok: false,
    href,
    url,
    relation,
    status,
    reason,
    ...(cause !== undefined && {cause}),
    conditions,
    ...(conditionUrls.length > 0 && {conditionUrls}),
    missing,
    ...(description !== undefined && description !== '' && {description}),
    ...(location !== undefined && {location}),
    ...(request !== undefined && {request}),
    ...(retryAfter !== undefined && {retryAfter}),
  }
}

/** Returns the path of an absolute URL, as it is written. */
export function pathOf(url: string): string {
  return /^[^:]+:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? ''
}
