// Answers to sync-collection as tests write them, and the lines in which they read the results of a sync. RFC 6578.

import type {DavResult, Summary} from 'multistatus'
import {multistatusBody, type MultiStatusResponse} from 'multistatus/testing'

import {type Answer, answer207} from './fault-server.ts'

/** A member with an ETag. */
export function member(href: string, etag: string): MultiStatusResponse {
  return {href, properties: {getetag: `"${etag}"`, resourcetype: []}}
}

/** A collection with its ETag, if it has one. */
export function collection(href: string, etag?: string): MultiStatusResponse {
  const resourcetype = ['collection']
  return {
    href,
    properties: etag === undefined ? {resourcetype} : {resourcetype, getetag: `"${etag}"`},
  }
}

/** A member that the server reports as removed. RFC 6578, section 3.5.2. */
export function removed(href: string): MultiStatusResponse {
  return {href, status: 404}
}

/** The mark of a cut answer. RFC 6578, section 3.6. */
export function cut(href: string): MultiStatusResponse {
  return {href, status: 507, conditions: ['number-of-matches-within-limits']}
}

/** A page of changes with its token. */
export function page(syncToken: string, ...responses: readonly MultiStatusResponse[]): Answer {
  return answer207(multistatusBody(responses, {syncToken}))
}

/** The answer to a PROPFIND. */
export function listingOf(...responses: readonly MultiStatusResponse[]): Answer {
  return answer207(multistatusBody(responses))
}

/** A refusal with a condition in its body. RFC 4918, section 16. */
export function refusal(status: number, condition: string): Answer {
  return {
    status,
    headers: {'content-type': 'application/xml'},
    body: `<D:error xmlns:D="DAV:"><D:${condition}/></D:error>`,
  }
}

/** Reads the token of a request; `undefined` for another request. */
export function tokenOf(body: string): string | undefined {
  return /<D:sync-token(?:\/>|>([^<]*)<)/.exec(body)?.slice(1).join('')
}

/** A result of a sync in one line: `changed /cal/a "1"`, `gone /cal/a`, or a failure with its status. */
export function change(result: DavResult): string {
  if (result.ok) return `changed ${result.href} ${result.properties.getetag ?? '-'}`
  return result.status === 404 ? `gone ${result.href}` : `${result.status} ${result.href}`
}

/** Reads a sync to its end. */
export async function readSync(
  stream: AsyncIterable<DavResult> & {readonly summary: Promise<Summary>},
): Promise<{readonly changes: string[]; readonly summary: Summary}> {
  const changes: string[] = []
  for await (const result of stream) changes.push(change(result))
  return {changes, summary: await stream.summary}
}
