/** Results in the form of the disk: by plain path below the requested collection. */
import {decodePath, type DavResult} from 'multistatus'

/** Plain path of a result below a collection of the root; `''` for the collection itself. */
export function pathBelow(collection: string, result: {readonly url: string}): string {
  const path = decodePath(result)?.replace(/\/$/, '')
  if (path === `/${collection}`) return ''
  if (path === undefined || !path.startsWith(`/${collection}/`)) {
    throw new Error(`${result.url} has no plain path below /${collection}/`)
  }
  return path.slice(collection.length + 2)
}

/** Status of each result by path. Two results with one path are an error. */
export function statusByPath(
  collection: string,
  results: readonly DavResult[],
): Record<string, number> {
  const statuses = new Map<string, number>()
  for (const result of results) {
    const path = pathBelow(collection, result)
    if (statuses.has(path)) throw new Error(`two results for ${result.url}`)
    statuses.set(path, result.status)
  }
  return Object.fromEntries(statuses)
}
