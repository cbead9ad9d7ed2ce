// States that an answer without the collection does not mean an empty collection: a sync job must not delete over it.
// RFC 4918, section 9.1.

import {DavClient, type Depth} from 'multistatus'
import {expect, it} from 'vitest'

const url = 'https://dav.example/files/ana/'
const found = (href: string): string =>
  `<D:response><D:href>${href}</D:href><D:propstat><D:prop/><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>`

function clientOf(...responses: readonly string[]): DavClient {
  const body = `<D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>`
  return new DavClient({url, transport: async () => new Response(body, {status: 207})})
}

it.each<Depth>([0, 1, 'infinity'])('is incomplete if it is empty, at depth %s', async (depth) => {
  const {summary} = await clientOf().propfind('', {depth}).collect()
  expect(summary).toMatchObject({complete: false, incomplete: [{href: url, reason: 'self'}]})
})

it('is incomplete if it is about other resources', async () => {
  const {summary} = await clientOf(found('/'), found('/q.txt')).propfind('').collect()
  expect(summary).toMatchObject({complete: false, incomplete: [{href: url, reason: 'self'}]})
})

it('is complete if the collection is all there is', async () => {
  const {summary} = await clientOf(found('/files/ana/')).propfind('').collect()
  expect(summary).toMatchObject({complete: true, incomplete: []})
})
