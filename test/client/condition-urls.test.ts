// States that the Failure of each verb names the locks that are in its way. RFC 4918, section 16.

import {DavClient, type DavResult} from 'multistatus'
import {fakeServer} from 'multistatus/testing'
import {describe, expect, it} from 'vitest'

const BASE = 'https://dav.example/'

/** Calls a verb of a client without tokens, on a tree in which `c/` is locked with its members, and `d.txt` alone. */
async function refused(call: (dav: DavClient) => Promise<DavResult>): Promise<DavResult> {
  const server = fakeServer({files: {'c/a.txt': 'A', 'd.txt': 'D', 'e.txt': 'E'}})
  server.lock('c')
  server.lock('d.txt')
  return call(new DavClient({url: server.url, transport: server.transport}))
}

describe('the URLs of the locks that are in the way', () => {
  const calls: readonly [string, (dav: DavClient) => Promise<DavResult>, string][] = [
    ['PUT', (dav) => dav.put('c/new.txt', 'text'), 'c/'],
    ['PUT, safely', (dav) => dav.put('c/a.txt', 'text', {safely: true}), 'c/'],
    ['PUT below a missing parent', (dav) => dav.put('c/x/y.txt', 'text', {parents: true}), 'c/'],
    ['DELETE', (dav) => dav.delete('d.txt'), 'd.txt'],
    ['MKCOL', (dav) => dav.mkcol('c/x/'), 'c/'],
    ['MKCOL with its parents', (dav) => dav.mkcol('c/x/y/', {parents: true}), 'c/'],
    ['COPY', (dav) => dav.copy('e.txt', 'c/e.txt'), 'c/'],
    ['MOVE', (dav) => dav.move('d.txt', 'f.txt'), 'd.txt'],
    ['PROPPATCH', (dav) => dav.proppatch('d.txt', {set: {displayname: 'D'}}), 'd.txt'],
    ['LOCK', (dav) => dav.lock('c/a.txt'), 'c/'],
  ]
  it.each(calls)('%s', async (_, call, path) => {
    expect(await refused(call)).toMatchObject({
      ok: false,
      status: 423,
      conditionUrls: [BASE + path],
    })
  })

  it('survive JSON', async () => {
    const failure = await refused((dav) => dav.delete('d.txt'))
    expect(JSON.parse(JSON.stringify(failure))).toEqual(failure)
  })
})
