// States that the fetch transport passes through an interceptor of the platform's fetch. msw answers the two first exchanges
// of this package. Tests of users look the same. RFC 4918, sections 9.1 and 9.6.

import {http, HttpResponse} from 'msw/http'
import {setupServer} from 'msw/node'
import {DavClient, partition} from 'multistatus'
import {fetchTransport} from 'multistatus/fetch'
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest'

import {bytes, bytesOf} from '../support/fixtures.ts'
import {resultsOf} from '../support/results.ts'

const network = setupServer()
beforeAll(() => network.listen({onUnhandledFrame: 'error'}))
afterEach(() => network.resetHandlers())
afterAll(() => network.close())

const dav = new DavClient({url: 'https://dav.example/webdav/', transport: fetchTransport()})
const xml = {'content-type': 'application/xml; charset=utf-8'}

function fixture(name: string): ArrayBuffer {
  return bytes(new TextDecoder().decode(bytesOf(name))).buffer
}

/** The answer that a browser gives in the place of a redirect. Fetch standard, section 2.2.6. */
function hiddenRedirect(): Response {
  return Object.defineProperties(new Response(null), {
    type: {value: 'opaqueredirect'},
    status: {value: 0},
  })
}

describe('msw', () => {
  it('answers PROPFIND with a file that has the properties and one that has none of them', async () => {
    const seen: (string | null)[] = []
    network.use(
      http.all('https://dav.example/webdav/documents/', async ({request}) => {
        seen.push(request.method, request.headers.get('depth'), await request.text())
        return new HttpResponse(fixture('propfind-documents'), {status: 207, headers: xml})
      }),
    )
    const stream = dav.propfind('documents/', {depth: 1, properties: ['getcontentlength']})
    const {successes, failures, summary} = await stream.collect()
    expect(seen).toEqual(['PROPFIND', '1', expect.stringContaining('getcontentlength')])
    expect(successes).toMatchObject([
      {
        url: 'https://dav.example/webdav/documents/file1.txt',
        relation: 'member',
        status: 200,
        properties: {getcontentlength: 1024},
      },
      {
        url: 'https://dav.example/webdav/documents/file2.txt',
        relation: 'member',
        status: 200,
        properties: {},
      },
    ])
    expect(failures).toEqual([])
    expect(summary).toEqual({
      complete: true,
      incomplete: [],
      successes: 2,
      failures: 0,
      requests: 1,
    })
  })

  it('answers DELETE with a file that is gone and one that is locked', async () => {
    const seen: (string | null)[] = []
    network.use(
      http.delete('https://dav.example/webdav/folder/', ({request}) => {
        seen.push(request.headers.get('depth'))
        return new HttpResponse(fixture('delete-folder'), {status: 207, headers: xml})
      }),
    )
    const {successes, failures} = partition(resultsOf(await dav.delete('folder/')))
    expect(seen).toEqual(['infinity'])
    expect(successes).toMatchObject([{href: '/webdav/folder/file1.txt', status: 204}])
    expect(failures).toMatchObject([
      {href: '/webdav/folder/file2.txt', status: 423, reason: 'status', relation: 'member'},
      {href: '/webdav/folder/', status: 424, reason: 'member', relation: 'self'},
    ])
  })

  it('answers with a network error, which is a DavNetworkError', async () => {
    network.use(http.all('https://dav.example/webdav/documents/', () => HttpResponse.error()))
    await expect(dav.propfind('documents/').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: expect.stringContaining('PROPFIND https://dav.example/webdav/documents/'),
      cause: expect.any(TypeError),
    })
  })
})

describe('fetchTransport', () => {
  it('calls the fetch that it is given', async () => {
    const calls: [string, RequestInit][] = []
    const transport = fetchTransport({
      fetch: async (url, init) => {
        calls.push([url, init])
        return new Response(null, {status: 204})
      },
    })
    await new DavClient({url: 'https://dav.example/', transport}).delete('a')
    expect(calls).toMatchObject([
      ['https://dav.example/a', {method: 'DELETE', redirect: 'manual', credentials: 'omit'}],
    ])
  })

  it('says that a redirect which a browser hides is one', async () => {
    const hidden = hiddenRedirect()
    const transport = fetchTransport({fetch: async () => hidden})
    const dav2 = new DavClient({url: 'https://dav.example/', transport})
    await expect(dav2.propfind('docs').collect()).rejects.toMatchObject({
      name: 'DavNetworkError',
      message: expect.stringMatching(/^PROPFIND https:\/\/dav\.example\/docs .*redirect/),
    })
  })
})
