// Tests a program that makes its own client. msw answers in the place of a server, over a tree in memory.

import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'

import {http, HttpResponse} from 'msw/http'
import {setupServer} from 'msw/node'
import {DavClient} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {fakeHandlers, fakeServer, multistatusBody} from 'multistatus/testing'

const server = fakeServer({files: {'drafts/contract.txt': 'signed', 'drafts/notes.txt': 'a'}})
const network = setupServer(...fakeHandlers(server, http))
before(() => network.listen({onUnhandledFrame: 'error'}))
after(() => network.close())

// msw sees the platform's fetch, and not undici, so the client has to send with fetch.
const dav = new DavClient({url: server.url, transport: fetchTransport()})

test('a locked member keeps its collection', async () => {
  server.lock('drafts/contract.txt')
  const result = await dav.delete('drafts/')
  assert.equal(result.status, 424)
  assert.deepEqual(
    result.members?.map(({href, status}) => [href, status]),
    [['/drafts/contract.txt', 423]],
  )
  assert.deepEqual(server.files, {'drafts/contract.txt': 'signed'})
})

test('a listing reports the properties that a collection lacks', async () => {
  const propstats = [{status: 404, properties: ['getcontentlength']}]
  const folder = {href: '/photos/', properties: {resourcetype: ['collection']}, propstats}
  const answer = () => new HttpResponse(multistatusBody([folder]), {status: 207})
  network.use(http.all(`${server.url}photos/`, answer))

  const [result] = (await dav.propfind('photos/').collect()).successes
  assert.deepEqual(result?.properties.resourcetype, ['collection'])
  assert.deepEqual(
    result?.missing.map(({name}) => name),
    ['getcontentlength'],
  )
})
