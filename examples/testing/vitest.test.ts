// Tests a program without a server, under vitest.

import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {expect, test} from 'vitest'

test('a locked draft stays, and the others are deleted', async () => {
  const server = fakeServer({files: {'drafts/a.txt': 'a', 'drafts/b.txt': 'b'}})
  const dav = new DavClient({url: server.url, transport: server.transport})
  server.lock('drafts/b.txt')

  const result = await dav.delete('drafts/')
  expect(result).toMatchObject({ok: false, status: 424, members: [{status: 423}]})
  expect(server.files).toEqual({'drafts/b.txt': 'b'})
})

test('a lost answer to a DELETE is no failure if the retry finds nothing', async () => {
  const server = fakeServer({files: {'a.txt': 'a'}})
  const retry = {attempts: 2, minDelay: 1}
  const dav = new DavClient({url: server.url, transport: server.transport, retry})
  server.fault({method: 'DELETE', times: 1, reset: true, obeyed: true})

  expect(await dav.delete('a.txt')).toMatchObject({ok: true, status: 404, attempts: 2})
})
