// Files in memory behind a fault server: PUT with conditions, MOVE with If and Overwrite, DELETE, MKCOL and PROPFIND. A
// test may answer some requests first. RFC 4918, sections 9.1 and 9.6 to 9.9; RFC 9110, section 13.1.

import {multistatusBody} from 'multistatus/testing'

import {type Answer, answer207, type FaultServer, type Script} from './fault-server.ts'

type End = Exclude<Awaited<ReturnType<Script>>, Answer>

/** A truthful answer of the files, or another one. */
export type Fault = (
  request: Parameters<Script>[0],
  answer: () => Answer,
) => Answer | End | undefined | Promise<Answer | End | undefined>

export interface KeptFiles {
  /** The content by path. The content of a collection is `undefined`. */
  readonly content: Map<string, string | undefined>
  /** Returns the ETag of a path. */
  etagOf(path: string): string
}

/** Scripts a server. A fault that returns `undefined` leaves the request to the files. */
export function keepFiles(server: FaultServer, fault: Fault = () => undefined): KeptFiles {
  const content = new Map<string, string | undefined>([['/', undefined]])
  const etagOf = (path: string): string => `"${encodeURIComponent(content.get(path) ?? '')}"`

  /** Tells if a condition fails. Knows one ETag in one list. */
  const fails = ({url, headers}: Parameters<Script>[0]): boolean => {
    const {'if-match': ifMatch, 'if-none-match': ifNoneMatch, if: given = ''} = headers
    const [, tagged = '', listed] = /^<([^>]*)> \(.*\[(".*")\]\)$/.exec(String(given)) ?? []
    return (
      (ifMatch !== undefined && (!content.has(url) || ifMatch !== etagOf(url))) ||
      (ifNoneMatch === '*' && content.has(url)) ||
      (listed !== undefined && etagOf(new URL(tagged).pathname) !== listed)
    )
  }

  const respond = (request: Parameters<Script>[0]): Answer => {
    const {method, url, headers, body} = request
    const isThere = content.has(url)
    const parent = url.replace(/[^/]*\/?$/, '')
    if (!content.has(parent)) return {status: method === 'PUT' || method === 'MKCOL' ? 409 : 404}
    if (method === 'MKCOL') {
      if (isThere) return {status: 405}
      content.set(url, undefined)
      return {status: 201}
    }
    if (method === 'PUT') {
      if (fails(request)) return {status: 412}
      content.set(url, body)
      return {status: isThere ? 204 : 201, headers: {etag: etagOf(url)}}
    }
    if (!isThere) return {status: 404}
    if (method === 'DELETE') {
      content.delete(url)
      return {status: 204}
    }
    if (method === 'MOVE') {
      const destination = new URL(String(headers['destination'])).pathname
      const replaces = content.has(destination)
      if (fails(request) || (replaces && headers['overwrite'] === 'F')) return {status: 412}
      content.set(destination, content.get(url))
      content.delete(url)
      return {status: replaces ? 204 : 201}
    }
    const text = content.get(url)
    const properties =
      text === undefined
        ? {resourcetype: ['collection']}
        : {resourcetype: [], getcontentlength: Buffer.byteLength(text), getetag: etagOf(url)}
    return answer207(multistatusBody([{href: url, properties}]))
  }

  server.script(
    async (request) => (await fault(request, () => respond(request))) ?? respond(request),
  )
  return {content, etagOf}
}
