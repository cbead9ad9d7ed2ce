// Results as tests write and read them: one result in a line, and a Failure from a queue.

import type {DavResult, FailedRequest, Failure} from 'multistatus'

/** Formats status, reason, relation and href of a result in one line. */
export function line(result: DavResult): string {
  return [result.status, ...(result.ok ? [] : [result.reason]), result.relation, result.href].join(
    ' ',
  )
}

/** Creates a Failure of a DELETE below a root URL. */
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

/** Reads a stream to its end. Returns the results and the final error. */
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

/** Orders the results of one DELETE as in a stream: the members, then the verdict on the target. */
export function resultsOf({members = [], ...verdict}: DavResult): readonly DavResult[] {
  return [...members, verdict]
}

/** Returns the error of a refused call: thrown at once, or the rejection of a promise. */
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
