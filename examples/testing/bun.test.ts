// Tests a program without a server, under bun test.

import {expect, test} from 'bun:test'
import {DavClient} from 'multistatus'
import {fakeServer} from 'multistatus/testing'

test('an upload does not overwrite the version of somebody else', async () => {
  const server = fakeServer({files: {'notes.txt': 'mine'}})
  const dav = new DavClient({url: server.url, transport: server.transport})

  const [before] = (await dav.propfind('notes.txt').collect()).successes
  server.put('notes.txt', 'theirs')

  expect(await dav.put('notes.txt', 'new', {ifMatch: before?.properties.getetag})).toMatchObject({
    ok: false,
    status: 412,
  })
  expect(server.files).toEqual({'notes.txt': 'theirs'})
})
