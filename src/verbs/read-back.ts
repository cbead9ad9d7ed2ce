/** Reads properties back, and compares them with those of a request. RFC 4918, section 9.1. */

import {causeOf} from '../call/answer.ts'
import type {CallContext} from '../call/call.ts'
import type {TargetRequest} from '../engine/verb.ts'
import {unclear} from '../engine/verdict.ts'
import {readSelf} from '../listing/presence.ts'
import {firstListing} from '../listing/propfind.ts'
import {propfindQuery} from '../listing/query.ts'
import type {Failure, PropertyFailure} from '../multistatus/result.ts'
import {UNDECODED} from '../properties/decode.ts'
import {formatPropfind} from '../properties/propfind-body.ts'
import {readInstructions} from '../properties/proppatch-body.ts'
import {isSameValue} from '../properties/same-value.ts'
import type {RawValue} from '../properties/vocabulary.ts'
import {DavError} from '../protocol/errors.ts'
import {isMissingStatus} from '../protocol/status.ts'

/**
 * Lists the properties that are not as the request set them, each with a status.
 *
 * @returns A Failure `no-answer` if the server does not show them.
 * @throws The signal's reason.
 */
export async function findUnset(
  request: TargetRequest,
  status: number,
  context: CallContext,
): Promise<readonly PropertyFailure[] | Failure> {
  const {method, url, body = ''} = request
  const unseen = `The ${method} was answered ${status}, but its properties could not be read`
  const instructions = readInstructions(body)
  const properties = instructions.map(({name}) => name)
  const query = propfindQuery(url, formatPropfind({properties}), 0, UNDECODED)
  try {
    const seen = await readSelf<RawValues>(firstListing(query, context.session), context)
    if (!seen.ok) return unclear(request, 'unreadable', `${unseen}: PROPFIND ${seen.status}`)
    const hidden = seen.missing.filter((one) => !isMissingStatus(one.status))
    const unset = instructions.flatMap(({name, value}) => {
      if (hidden.some((one) => one.name === name)) return []
      const description = differenceOf(value, seen.properties[name])
      return description === undefined ? [] : [{name, status, conditions: [], description}]
    })
    const [first] = hidden
    return first === undefined || unset.length > 0
      ? unset
      : unclear(request, 'unreadable', `${unseen}: ${first.name} ${first.status}`)
  } catch (error) {
    if (!(error instanceof DavError)) throw error
    return unclear(request, causeOf(error), `${unseen}: ${error.message}`)
  }
}

type RawValues = Readonly<Record<string, RawValue | undefined>>

/** Describes how a value differs from the one that was set; `undefined` if it does not. */
function differenceOf(set: RawValue | undefined, read: RawValue | undefined): string | undefined {
  if (set === undefined) return read === undefined ? undefined : 'It is still there'
  if (read === undefined) return 'It is not there'
  return isSameValue(set, read) ? undefined : 'It has another value'
}
