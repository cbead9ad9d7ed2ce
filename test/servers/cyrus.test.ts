/** Peculiarities of Cyrus: collections in collections, which it deletes in part. */
import {basicAuth, DavClient} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {expect, it} from 'vitest'
import {cyrusFiles} from './cyrus.ts'
import {makeCalendar} from './support/calendars.ts'
import {readMembers} from './support/raw-listing.ts'
import {describeServers} from './support/suite.ts'

describeServers([cyrusFiles], (server) => {
  const open = async (name: string): Promise<DavClient> => {
    await makeCalendar(server, name, [])
    await makeCalendar(server, `${name}/c`, ['1.txt'])
    await makeCalendar(server, `${name}/c/d`, ['2.txt'])
    const auth = basicAuth('alice', 'secret')
    return new DavClient({url: server.url(name), transport: undiciTransport(), auth})
  }
  const members = async (path: string): Promise<readonly string[]> => [
    ...(await readMembers(server.url(path), server.credentials)).keys(),
  ]

  it('a DELETE of a collection with a collection in it fails, and hides the inner one', async () => {
    const dav = await open('outside')
    expect(await dav.delete('c/')).toMatchObject({ok: false, status: 500, reason: 'status'})
    expect(await members('outside')).toEqual([])
    expect(await members('outside/c/d')).toEqual(['2.txt'])
  })

  it('a second DELETE is answered 404, which counts as deleted after an earlier one', async () => {
    const dav = await open('repeated')
    const retry = {attempts: 3, minDelay: 1}
    expect(await dav.delete('c/', {retry})).toMatchObject({ok: true, status: 404, attempts: 2})
    expect(await members('repeated/c/d')).toEqual(['2.txt'])
  })

  it('a DELETE of the inner collection first deletes both', async () => {
    const dav = await open('inside')
    expect(await dav.delete('c/d/')).toMatchObject({ok: true, status: 204})
    expect(await dav.delete('c/')).toMatchObject({ok: true, status: 204})
    expect(await members('inside')).toEqual([])
  })
})
