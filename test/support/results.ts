// Results as tests write and read them: one in a line, and a Failure as a queue may hold it.

import type {DavResult, FailedRequest, Failure} from 'multistatus'

/** Status, reason, relation and href of a result in one line. */
export function line(result: DavResult): string {
  return [result.status, ...(result.ok ? [] : [result.reason]), result.relation, result.href].join(
    ' ',
  )
}

/** A Failure of a DELETE below a root URL. */
export function failedDelete(
  root: string,
  path: string,
  status = 423,
  request: Partial<FailedRequest> = {},
): Failure {
  const url = root + path
  return {
    ok: false,
    href: `/${path}`,
    url,
    relation: 'self',
    status,
    reason: 'status',
    conditions: [],
    missing: [],
    request: {method: 'DELETE', url, depth: 'infinity', attempts: 1, ...request},
  }
}

/** What came before the end of a stream, and the error that it ended with. */
export async function readToEnd(
  stream: AsyncIterable<DavResult>,
): Promise<{readonly results: DavResult[]; readonly error: unknown}> {
  const results: DavResult[] = []
  try {
    for await (const result of stream) results.push(result)
  } catch (error) {
    return {results, error}
  }
  return {results, error: undefined}
}

/** Results of a DELETE of one target in the order of a stream: its members, then the verdict on itself. */
export function resultsOf({members = [], ...verdict}: DavResult): readonly DavResult[] {
  return [...members, verdict]
}

/** The error of a call that is refused: thrown at once by a call for a stream, the rejection of a call for a promise. */
export async function refusalOf(call: () => unknown): Promise<unknown> {
  let given: unknown
  try {
    given = call()
  } catch (error) {
    return error
  }
  if (!(given instanceof Promise)) throw new Error('The call was not refused at once')
  return given.then(
    () => {
      throw new Error('The call was not refused')
    },
    (error: unknown) => error,
  )
}
