// Tests a program that uses the client. msw answers instead of a server, with a body that multistatusBody builds.

import assert from 'node:assert/strict'
import {after, before, test} from 'node:test'

import {http, HttpResponse} from 'msw/http'
import {setupServer} from 'msw/node'
import {DavClient} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {multistatusBody} from 'multistatus/testing'

const url = 'https://dav.example/files/'
// msw intercepts the platform's fetch, so the client has to send with it.
const dav = new DavClient({url, transport: fetchTransport()})

const network = setupServer()
before(() => network.listen({onUnhandledFrame: 'error'}))
after(() => network.close())

test('a locked member keeps its collection', async () => {
  const contract = {
    href: '/files/drafts/contract.txt',
    status: 423,
    conditions: ['lock-token-submitted'],
  }
  const answer = () => new HttpResponse(multistatusBody([contract]), {status: 207})
  network.use(http.delete(`${url}drafts/`, answer))

  const result = await dav.delete('drafts/')
  assert.equal(result.ok, false)
  assert.equal(result.status, 424)
  assert.deepEqual(
    result.members?.map(({url: member, status}) => [member, status]),
    [[`${url}drafts/contract.txt`, 423]],
  )
})

test('a listing reports the properties that a collection lacks', async () => {
  const propstats = [{status: 404, properties: ['getcontentlength']}]
  const folder = {href: '/files/drafts/', properties: {resourcetype: ['collection']}, propstats}
  const answer = () => new HttpResponse(multistatusBody([folder]), {status: 207})
  network.use(http.all(`${url}drafts/`, answer))

  const [result] = (await dav.propfind('drafts/').collect()).successes
  assert.deepEqual(result?.properties.resourcetype, ['collection'])
  assert.deepEqual(
    result?.missing.map(({name}) => name),
    ['getcontentlength'],
  )
})
