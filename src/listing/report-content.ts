/**
 * The answer to a report that is no Multi-Status document: free-busy times, or a document of its own. It becomes one Success for
 * the target. A page for people, an error and a cut document do not. RFC 3253, section 3.6; RFC 4791, section 7.10.
 */

import type {AnswerHead, MultiStatusAnswer, PlainAnswer, Reading} from '../call/answer.ts'
import {PAGE, readAnswer} from '../call/answer.ts'
import type {Session} from '../call/session.ts'
import {pathOf} from '../multistatus/failure.ts'
import {resolveLimits} from '../multistatus/limits.ts'
import type {DavResult, Success} from '../multistatus/result.ts'
import {MultiStatusError} from '../protocol/errors.ts'
import type {OpenResponse} from '../transport/deadlines.ts'

/**
 * Reads the answer to a successful report. A content is held as a whole.
 *
 * @throws MultiStatusError for a content that breaks a limit. The errors of `readAnswer`.
 */
export async function readReport<P>(
  session: Session,
  response: OpenResponse,
  reading: Reading,
  {status, url}: AnswerHead,
): Promise<PlainAnswer | MultiStatusAnswer<P>> {
  const whole = resolveLimits(session.limits)
  const answer = await readAnswer<P>(session, response, {...reading, whole})
  if (answer.kind === 'multistatus') return answer
  const {text, root, length} = answer
  const limit = whole.bytes < whole.value ? 'bytes' : 'value'
  const most = whole[limit]
  if (length > most) {
    const sentence = `The answer to REPORT ${url} is longer than ${most} bytes`
    throw new MultiStatusError(sentence, 'limit-exceeded', most, limit, {method: 'REPORT', url})
  }
  const type = response.headers.get('content-type') ?? ''
  if (status === 207 || !isContent(answer, type)) return answer
  const content = {type, text, ...(root !== undefined && {root})}
  const about = {href: pathOf(url), url, relation: 'self', status} as const
  const success: Success = {ok: true, ...about, properties: {}, missing: [], content}
  return {
    kind: 'multistatus',
    // The caller types the properties, of which there are none.
    batches: once([success] as DavResult<P>[]),
    summary: () => ({complete: true, incomplete: [], successes: 1, failures: 0, requests: 0}),
    discard: () => Promise.resolve(),
  }
}

function isContent({text, root, isError}: PlainAnswer, type: string): boolean {
  const isPage = /html/i.test(type) || PAGE.test(text)
  // Markup that is not well-formed may be cut.
  const isWhole = root !== undefined || !/^[\s\uFEFF]*(?:<|$)/.test(text)
  return isWhole && !isPage && !isError
}

async function* once<T>(value: T): AsyncGenerator<T, undefined, undefined> {
  yield value
  return undefined
}
