// States the listings and the properties of the fake server, and its changes since a token. RFC 4918, sections 9.1, 9.2 and 15;
// RFC 4331; RFC 5689; RFC 6578.

import {DavClient} from 'multistatus'
import {type FakeServer, fakeServer} from 'multistatus/testing'
import {beforeEach, describe, expect, it} from 'vitest'

import {ask} from '../support/ask.ts'
import {readSync} from '../support/sync-answers.ts'

let server: FakeServer
let dav: DavClient

function start(options: Parameters<typeof fakeServer>[0] = {}): void {
  server = fakeServer({files: {'a.txt': 'one', 'c/1.txt': '1', 'c/d/2.txt': '2'}, ...options})
  dav = new DavClient({url: server.url, transport: server.transport})
}

beforeEach(() => start())

async function hrefsOf(depth: 0 | 1 | 'infinity', path = ''): Promise<readonly string[]> {
  return (await Array.fromAsync(dav.propfind(path, {depth}))).map(({href}) => href)
}

function update(...instructions: readonly string[]): string {
  return `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x">${instructions.join('')}</D:propertyupdate>`
}
const set = (property: string): string => `<D:set><D:prop>${property}</D:prop></D:set>`
const unset = (property: string): string => `<D:remove><D:prop>${property}</D:prop></D:remove>`

describe('PROPFIND', () => {
  it('lists by depth, each collection with a slash', async () => {
    expect(await hrefsOf(0)).toEqual(['/'])
    expect(await hrefsOf(1)).toEqual(['/', '/a.txt', '/c/'])
    expect(await hrefsOf('infinity', 'c/')).toEqual(['/c/', '/c/1.txt', '/c/d/', '/c/d/2.txt'])
    expect(await hrefsOf(1, 'a.txt')).toEqual(['/a.txt'])
  })

  it('refuses Depth infinity if it is told to', async () => {
    start({infinity: false})
    const refused = await ask(server, 'PROPFIND', '')
    expect(refused.status).toBe(403)
    expect(refused.text).toContain('<D:propfind-finite-depth/>')
    expect((await dav.walk('').collect()).summary).toMatchObject({complete: true, successes: 6})
  })

  it('gives the live properties of a file and of a collection', async () => {
    const file = await dav.stat('a.txt', {allprop: true})
    expect(file.ok && file.properties).toEqual({
      creationdate: expect.any(Date),
      getcontentlength: 3,
      getcontenttype: 'application/octet-stream',
      getetag: server.get('a.txt')?.etag,
      getlastmodified: expect.any(Date),
      resourcetype: [],
      lockdiscovery: '',
      supportedlock: expect.objectContaining({name: 'supportedlock'}),
    })
    const collection = await dav.stat('c/', {
      properties: ['resourcetype', 'getetag', 'getcontentlength'],
    })
    expect(collection).toMatchObject({ok: true, properties: {resourcetype: ['collection']}})
    expect(collection.missing.map(({name, status}) => `${name} ${status}`)).toEqual([
      'getetag 404',
      'getcontentlength 404',
    ])
  })

  it('names all properties, dead ones too', async () => {
    server.put('a.txt', '', {properties: {'{urn:x}p': 'value'}})
    const found = await dav.stat('a.txt', {propname: true})
    expect(found.ok && Object.keys(found.properties)).toContain('{urn:x}p')
    expect(found).toMatchObject({properties: {'{urn:x}p': ''}})
  })

  it.each([
    ['', 'no XML'],
    ['', '<D:propfind xmlns:D="DAV:"/>'],
    ['2', '<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'],
  ])('with Depth %s and the body %s is refused with 400', async (depth, body) => {
    expect((await ask(server, 'PROPFIND', 'a.txt', {depth: depth || '0'}, body)).status).toBe(400)
  })

  it('tells the quota of a server that has one', async () => {
    start({quota: 10})
    const properties = ['quota-available-bytes', 'quota-used-bytes']
    expect(await dav.stat('', {properties})).toMatchObject({
      properties: {'quota-available-bytes': 5, 'quota-used-bytes': 5},
    })
    start()
    expect((await dav.stat('', {properties})).missing.map(({status}) => status)).toEqual([404, 404])
  })
})

describe('PROPPATCH', () => {
  const patch = (...instructions: readonly string[]) =>
    ask(server, 'PROPPATCH', 'a.txt', {}, update(...instructions))

  it('obeys in order: set, remove leaves nothing, and remove, set leaves the value', async () => {
    expect((await patch(set('<x:p>1</x:p>'), unset('<x:p/>'))).status).toBe(207)
    expect(server.get('a.txt')?.properties).toEqual({})
    await patch(unset('<x:p/>'), set('<x:p>1</x:p>'), set('<x:p>2</x:p>'))
    expect(server.get('a.txt')?.properties).toEqual({'{urn:x}p': '2'})
  })

  it('does all or nothing', async () => {
    const answer = await dav.proppatch('a.txt', {set: {displayname: 'A', getetag: '"1"'}})
    expect(answer).toMatchObject({ok: false, status: 403, reason: 'propstat'})
    expect(
      answer.missing.map(
        ({name, status, conditions}) => `${name} ${status} ${conditions.join(' ')}`,
      ),
    ).toEqual(['getetag 403 cannot-modify-protected-property', 'displayname 424 '])
    expect(server.get('a.txt')?.properties).toEqual({})
  })

  it('keeps elements, attributes and the language around a property', async () => {
    await patch('<D:set xml:lang="de"><D:prop><x:p a="1"><x:q>text</x:q></x:p></D:prop></D:set>')
    expect(server.get('a.txt')?.properties).toEqual({
      '{urn:x}p': {
        name: '{urn:x}p',
        attributes: {a: '1', '{http://www.w3.org/XML/1998/namespace}lang': 'de'},
        children: [{name: '{urn:x}q', attributes: {}, children: ['text']}],
      },
    })
  })

  it('of a missing resource, and without an instruction, is refused', async () => {
    expect((await ask(server, 'PROPPATCH', 'none', {}, update(set('<x:p/>')))).status).toBe(404)
    expect((await patch()).status).toBe(400)
  })
})

describe('MKCOL', () => {
  it.each([
    ['c/', 405],
    ['a.txt', 405],
    ['none/e/', 409],
    ['e/', 201],
  ])('of %s is answered with %i', async (path, status) => {
    expect((await ask(server, 'MKCOL', path)).status).toBe(status)
  })

  it('sets properties and further types', async () => {
    const properties = {resourcetype: ['collection', '{urn:x}album'], displayname: 'Pictures'}
    expect(await dav.mkcol('e/', {properties})).toMatchObject({ok: true, status: 201})
    expect(await dav.stat('e/', {properties: ['resourcetype', 'displayname']})).toMatchObject({
      properties: {resourcetype: ['collection', '{urn:x}album'], displayname: 'Pictures'},
    })
  })

  it('makes nothing if a property is refused', async () => {
    const refused = await dav.mkcol('e/', {properties: {getetag: '"1"', displayname: 'E'}})
    expect(refused).toMatchObject({ok: false})
    expect(refused.missing.map(({name, status}) => `${name} ${status}`)).toEqual([
      'getetag 403',
      'displayname 424',
    ])
    expect(server.get('e')).toBeUndefined()
  })

  it('refuses another body, and types without a collection', async () => {
    expect((await ask(server, 'MKCOL', 'e/', {}, 'text')).status).toBe(415)
    const body =
      '<D:mkcol xmlns:D="DAV:"><D:set><D:prop><D:displayname>E</D:displayname></D:prop></D:set></D:mkcol>'
    expect(await ask(server, 'MKCOL', 'e/', {}, body)).toMatchObject({
      status: 403,
      text: expect.stringContaining('<D:valid-resourcetype/>'),
    })
  })
})

describe('sync-collection', () => {
  it('gives the changes since a token, gone members as 404', async () => {
    const first = await readSync(dav.sync('', {level: 'infinity'}))
    expect(first.changes).toEqual([
      `changed /a.txt ${server.get('a.txt')?.etag}`,
      'changed /c/ -',
      `changed /c/1.txt ${server.get('c/1.txt')?.etag}`,
      'changed /c/d/ -',
      `changed /c/d/2.txt ${server.get('c/d/2.txt')?.etag}`,
    ])
    server.put('c/1.txt', 'new')
    server.remove('c/d')
    const {syncToken} = first.summary
    const second = await readSync(dav.sync('', {level: 'infinity', token: syncToken}))
    expect(second.changes).toEqual([
      `changed /c/1.txt ${server.get('c/1.txt')?.etag}`,
      'gone /c/d',
      'gone /c/d/2.txt',
    ])
    expect((await readSync(dav.sync('', {level: 1, token: syncToken}))).changes).toEqual([])
  })

  it('is cut into pages', async () => {
    start({pageSize: 2})
    const {changes, summary} = await readSync(dav.sync('', {level: 'infinity'}))
    expect(changes).toHaveLength(5)
    expect(summary.complete).toBe(true)
    expect(server.requests.map(({method}) => method)).toEqual(['REPORT', 'REPORT', 'REPORT'])
    const {text} = await ask(server, 'REPORT', '', {}, server.requests[0]?.body)
    expect(text).toContain(
      '<D:response><D:href>/</D:href><D:status>HTTP/1.1 507 </D:status><D:error><D:number-of-matches-within-limits/>',
    )
  })

  it('refuses a lost token, and the client begins anew', async () => {
    const {summary} = await readSync(dav.sync('', {level: 'infinity'}))
    server.loseTokens()
    server.forget()
    const {changes} = await readSync(dav.sync('', {level: 'infinity', token: summary.syncToken}))
    expect(changes).toHaveLength(5)
    expect(server.requests.map(({status}) => status)).toEqual([403, 207])
  })

  it('begins anew in pages after a lost token', async () => {
    start({pageSize: 2})
    const {summary} = await readSync(dav.sync('', {level: 'infinity'}))
    server.loseTokens()
    server.forget()
    const {changes} = await readSync(dav.sync('', {level: 'infinity', token: summary.syncToken}))
    expect(changes).toHaveLength(5)
    expect(server.requests.map(({status}) => status)).toEqual([403, 207, 207, 207])
  })

  it('names the members of a collection that a file has replaced', async () => {
    server = fakeServer({files: {'c/1.txt': '1'}})
    dav = new DavClient({url: server.url, transport: server.transport})
    const {summary} = await readSync(dav.sync('', {level: 'infinity'}))
    server.put('c', 'text')
    const {changes} = await readSync(dav.sync('', {level: 'infinity', token: summary.syncToken}))
    expect(changes.toSorted()).toEqual([`changed /c ${server.get('c')?.etag}`, 'gone /c/1.txt'])
  })

  it('is not there if it is turned off', async () => {
    start({sync: false})
    const body =
      '<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>'
    expect(await ask(server, 'REPORT', '', {}, body)).toMatchObject({
      status: 403,
      text: expect.stringContaining('<D:supported-report/>'),
    })
  })
})
