/** Results put the way the disk is read: by plain path below the collection that was asked about. */
import {decodePath, type DavResult} from 'multistatus'

/** The plain path of a result below a collection of the root, `''` for the collection itself. */
export function pathBelow(collection: string, result: {readonly url: string}): string {
  const path = decodePath(result)?.replace(/\/$/, '')
  if (path === `/${collection}`) return ''
  if (path === undefined || !path.startsWith(`/${collection}/`)) {
    throw new Error(`${result.url} has no plain path below /${collection}/`)
  }
  return path.slice(collection.length + 2)
}

/** The status of each Failure by its path. A path that failed twice is an error: each result is said once. */
export function statusByPath(
  collection: string,
  results: readonly DavResult[],
): Record<string, number> {
  const statuses: Record<string, number> = {}
  for (const result of results) {
    const path = pathBelow(collection, result)
    if (path in statuses) throw new Error(`two results for ${result.url}`)
    statuses[path] = result.status
  }
  return statuses
}
