// Each call of `webdav` 5.11 beside ours, on one server: nephele in this process, or a scripted one where nephele lacks the
// feature. Both give the same, or the difference is asserted. guide/from-webdav.md shows the regions.

import {createReadStream} from 'node:fs'
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {PassThrough} from 'node:stream'
import * as consumers from 'node:stream/consumers'

import {
  basicAuth,
  childrenOf,
  DavClient,
  encodePath,
  isCollection,
  members,
  nameOf,
  type RawValue,
  textOf,
  unwrap,
} from 'multistatus'
import {multistatusBody} from 'multistatus/testing'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest'
import * as webdav from 'webdav'
import {
  createClient,
  type DiskQuota,
  type FileStat,
  type SearchResult,
  type WebDAVClient,
} from 'webdav'

import {lock} from '../../examples/demo/lock.ts'
import {type EmbeddedServer, startEmbeddedServer} from '../support/embedded-server.ts'
import {type FaultServer, startFaultServer} from '../support/fault-server.ts'

let server: EmbeddedServer
let faults: FaultServer
/** A folder beside the served one. */
let local: string

beforeAll(async () => {
  server = await startEmbeddedServer()
  faults = await startFaultServer()
})

afterAll(async () => {
  await faults.close()
  await server.close()
})

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue()
  local = await mkdtemp(join(tmpdir(), 'multistatus-from-webdav-'))
  for (const name of await readdir(server.folder))
    await rm(join(server.folder, name), {recursive: true})
  await mkdir(join(server.folder, 'photos/old'), {recursive: true})
  await store('notes.txt', 'All is well.')
  await store('photos/1.jpg', 'one')
  await store('photos/2.jpg', 'two 2')
  await store('photos/old/3.jpg', 'three 3')
})

afterEach(async () => {
  vi.restoreAllMocks()
  await rm(local, {recursive: true})
})

describe('a client', () => {
  it('is made of a URL, a name and a password, and sends them with the first request', async () => {
    const {url} = faults
    // #region client
    // webdav
    const client = createClient(url, {username: 'ana', password: 'secret'})
    // #endregion
    // #region client
    // multistatus
    const dav = new DavClient({url, auth: basicAuth('ana', 'secret')})
    // #endregion
    expect(await sentBy(() => client.exists('/'))).toMatchObject([{method: 'PROPFIND'}])
    expect(await sentBy(() => dav.exists(''))).toMatchObject([{method: 'PROPFIND'}])
    expect(faults.requests[0]?.headers.authorization).toBe('Basic YW5hOnNlY3JldA==')
  })

  it('has headers for all requests; ours keeps those it was made with', async () => {
    const {url} = faults
    const client = createClient(url)
    // #region headers
    // webdav
    client.setHeaders({...client.getHeaders(), 'x-tenant': '7'})
    // #endregion
    // #region headers
    // multistatus
    const dav = new DavClient({url, headers: {'x-tenant': '7'}})
    // #endregion
    const header = [{headers: {'x-tenant': '7'}}]
    expect(await sentBy(() => client.exists('/'))).toMatchObject(header)
    expect(await sentBy(() => dav.exists(''))).toMatchObject(header)
  })

  it('gives a link to a resource; that of webdav has the password in it', () => {
    const client = createClient('https://dav.example/', {username: 'ana', password: 'secret'})
    const dav = new DavClient({url: 'https://dav.example/', auth: basicAuth('ana', 'secret')})
    // #region link
    // webdav
    const link = client.getFileDownloadLink('/100% #1.jpg')
    // #endregion
    // #region link
    // multistatus
    const url = new URL(encodePath('100% #1.jpg'), dav.url).href
    // #endregion
    expect(link).toBe('https://ana:secret@dav.example/100%25%20%231.jpg')
    expect(client.getFileUploadLink('/a.jpg')).toBe(
      'https://ana:secret@dav.example/a.jpg?Content-Type=application/octet-stream',
    )
    expect(url).toBe('https://dav.example/100%25%20%231.jpg')
  })
})

describe('listing', () => {
  it('gives the same names, kinds and sizes', async () => {
    const {client, dav} = open(server)
    // #region list
    // webdav
    const files = await client.getDirectoryContents('/photos')
    for (const {basename, type, size} of files) console.log(basename, type, size)
    // #endregion
    // #region list
    // multistatus
    const listing = members(dav.propfind('photos/'))
    for await (const result of listing) {
      if (result.ok)
        console.log(nameOf(result), isCollection(result), result.properties.getcontentlength)
      else console.log('not listed', result.url, result.status)
    }
    if (!(await listing.summary).complete) console.log('There are more.')
    // #endregion
    expect(vi.mocked(console.log).mock.calls).toEqual([
      ['1.jpg', 'file', 3],
      ['2.jpg', 'file', 5],
      ['old', 'directory', 0],
      ['1.jpg', false, 3],
      ['2.jpg', false, 5],
      ['old', true, 0],
    ])
  })

  it('reaches the whole tree; ours also on servers that refuse Depth infinity', async () => {
    const {client, dav} = open(server)
    // #region deep
    // webdav
    const files = await client.getDirectoryContents('/photos', {deep: true})
    // #endregion
    // #region deep
    // multistatus
    const {successes} = await members(dav.walk('photos/')).collect()
    const photos = successes.filter((result) => nameOf(result)?.endsWith('.jpg'))
    // #endregion
    expect(new Set(files.map(({basename}) => basename))).toEqual(
      new Set(['1.jpg', '2.jpg', '3.jpg', 'old']),
    )
    expect(new Set(photos.map(nameOf))).toEqual(new Set(['1.jpg', '2.jpg', '3.jpg']))
  })

  it('includes the collection itself by an option of theirs, and leaves it out by a function of ours', async () => {
    const {client, dav} = open(server)
    const theirs = await client.getDirectoryContents('/photos', {includeSelf: true})
    const {successes} = await dav.propfind('photos/').collect()
    expect(theirs.length).toBe(4)
    expect(successes.length).toBe(4)
  })

  it('that is cut off between two members looks whole to webdav, and throws here', async () => {
    const body = multistatusBody([
      {href: '/photos/', properties: {resourcetype: [{name: 'collection'}]}},
      {href: '/photos/1.jpg', properties: {resourcetype: []}},
    ])
    faults.answers({status: 207, body: body.slice(0, body.lastIndexOf('</'))})
    const {url} = faults
    expect(await createClient(url).getDirectoryContents('/photos')).toMatchObject([
      {filename: '/photos/1.jpg'},
    ])
    const ours = new DavClient({url}).propfind('photos/').collect()
    await expect(ours).rejects.toMatchObject({name: 'MultiStatusError', reason: 'truncated'})
  })
})

describe('one resource', () => {
  it('has the same properties', async () => {
    const {client, dav} = open(server)
    // #region stat
    // webdav
    const {size, lastmod, etag, mime} = (await client.stat('/notes.txt')) as FileStat
    // #endregion
    // #region stat
    // multistatus
    const {properties} = unwrap(await dav.stat('notes.txt'))
    const {getcontentlength, getlastmodified, getetag} = properties
    // #endregion
    expect([size, getcontentlength]).toEqual([12, 12])
    expect(new Date(lastmod)).toEqual(getlastmodified)
    // webdav takes an ETag without quotes for a number where it looks like one, such as 12345678 or -496900e7, and then has none.
    expect([getetag, null]).toContain(etag)
    expect([mime, properties.getcontenttype]).toEqual(['text/plain', 'text/plain'])
  })

  it('that is missing throws there, and is a Failure here', async () => {
    const {client, dav} = open(server)
    await expect(client.stat('/gone.txt')).rejects.toMatchObject({status: 404})
    expect(await dav.stat('gone.txt')).toMatchObject({ok: false, status: 404})
  })

  it('is there or not', async () => {
    const {client, dav} = open(server)
    // #region exists
    // webdav
    const isThere = await client.exists('/notes.txt')
    // #endregion
    // #region exists
    // multistatus
    const exists = await dav.exists('notes.txt')
    // #endregion
    expect([isThere, exists]).toEqual([true, true])
    expect([await client.exists('/gone.txt'), await dav.exists('gone.txt')]).toEqual([false, false])
  })

  it('that is gone for good (410) throws there, and does not exist here', async () => {
    faults.answers({status: 410})
    const {client, dav} = open(faults)
    await expect(client.exists('/gone.txt')).rejects.toMatchObject({status: 410})
    expect(await dav.exists('gone.txt')).toBe(false)
  })

  it('tells the quota; webdav asks for all properties, and RFC 4331 leaves the quota out of these', async () => {
    const {client, dav} = open(server)
    // #region quota
    // webdav
    const quota = (await client.getQuota()) as DiskQuota | null
    // #endregion
    // #region quota
    // multistatus
    const names = ['quota-used-bytes', 'quota-available-bytes'] as const
    const {properties} = unwrap(await dav.stat('', {properties: names}))
    // #endregion
    expect(quota).toBeNull()
    expect(properties['quota-available-bytes']).toBeGreaterThan(0)
  })
})

describe('downloading', () => {
  it('gives the text of a file', async () => {
    const {client, dav} = open(server)
    // #region get
    // webdav
    const content = await client.getFileContents('/notes.txt', {format: 'text'})
    // #endregion
    // #region get
    // multistatus
    const text = await unwrap(await dav.get('notes.txt')).text()
    // #endregion
    expect([content, text]).toEqual(['All is well.', 'All is well.'])
  })

  it('gives a stream of a range; ours is resumed after a break', async () => {
    const {client, dav} = open(server)
    const file = new PassThrough()
    // #region read-stream
    // webdav
    client.createReadStream('/notes.txt', {range: {start: 4, end: 5}}).pipe(file)
    // #endregion
    // #region read-stream
    // multistatus
    const range = {start: 4, end: 5}
    const {body} = unwrap(await dav.get('notes.txt', {range, resume: true}))
    // #endregion
    expect([await consumers.text(file), await consumers.text(body)]).toEqual(['is', 'is'])
  })

  it('writes a file; ours replaces it only when it is whole', async () => {
    const {dav} = open(server)
    const path = join(local, 'notes.txt')
    // #region download
    // multistatus
    const verdict = await dav.download('notes.txt', path)
    // #endregion
    expect(verdict.ok).toBe(true)
    expect(await readFile(path, 'utf8')).toBe('All is well.')
  })
})

describe('uploading', () => {
  it('writes nothing over a file that is there', async () => {
    const {client, dav} = open(server)
    // #region put
    // webdav
    const wasWritten = await client.putFileContents('/notes.txt', 'New.', {overwrite: false})
    // #endregion
    // #region put
    // multistatus
    const verdict = await dav.put('notes.txt', 'New.', {create: true})
    if (!verdict.ok) console.log(verdict.status, verdict.reason)
    // #endregion
    expect(wasWritten).toBe(false)
    expect(verdict).toMatchObject({ok: false, status: 412})
    expect(await read('notes.txt')).toBe('All is well.')
  })

  it('sends a file of the disk', async () => {
    const {client, dav} = open(server)
    const path = join(local, 'film.bin')
    await writeFile(path, 'film')
    // #region write-stream
    // webdav
    const {promise: sent, resolve, reject} = Promise.withResolvers<unknown>()
    const target = client.createWriteStream('/theirs.bin', {}, resolve)
    target.once('error', reject)
    for await (const chunk of createReadStream(path)) target.write(chunk)
    target.end()
    await sent
    // #endregion
    // #region write-stream
    // multistatus
    const verdict = await dav.put('ours.bin', {path})
    // #endregion
    expect(verdict.ok).toBe(true)
    expect([await read('theirs.bin'), await read('ours.bin')]).toEqual(['film', 'film'])
  })

  it('changes a part of a file by the same request, on a server that can', async () => {
    const {client, dav} = open(faults)
    faults.answers({status: 204, headers: {dav: '1, 3, sabredav-partialupdate'}})
    // #region part
    // webdav
    await client.partialUpdateFileContents('/notes.txt', 4, 5, 'is')
    // #endregion
    const theirs = faults.requests.at(-1)
    // #region part
    // multistatus
    const headers = {
      'content-type': 'application/x-sabredav-partialupdate',
      'x-update-range': 'bytes=4-5',
    }
    const {status} = await dav.request('PATCH', 'notes.txt', {headers, body: 'is'})
    // #endregion
    const patch = {
      method: 'PATCH',
      url: '/notes.txt',
      body: 'is',
      headers: {...headers, 'content-length': '2'},
    }
    expect(status).toBe(204)
    expect(theirs).toMatchObject(patch)
    expect(faults.requests.at(-1)).toMatchObject(patch)
  })
})

describe('copying, moving and deleting', () => {
  it('copies to a new name', async () => {
    const {client, dav} = open(server)
    // #region copy
    // webdav
    await client.copyFile('/notes.txt', '/theirs.txt')
    // #endregion
    // #region copy
    // multistatus
    const copied = await dav.copy('notes.txt', 'ours.txt')
    // #endregion
    expect(copied.status).toBe(201)
    expect([await read('theirs.txt'), await read('ours.txt')]).toEqual([
      'All is well.',
      'All is well.',
    ])
  })

  it('replaces what is at the destination: webdav by default, ours only with overwrite', async () => {
    const {client, dav} = open(server)
    // #region move
    // webdav
    await client.moveFile('/photos/1.jpg', '/notes.txt')
    // #endregion
    expect(await read('notes.txt')).toBe('one')
    // #region move
    // multistatus
    const moved = await dav.move('photos/2.jpg', 'notes.txt')
    if (!moved.ok && moved.status === 412) console.log('There is a notes.txt already')
    // #endregion
    expect(moved).toMatchObject({ok: false, status: 412})
    expect(await read('notes.txt')).toBe('one')
    expect(await dav.move('photos/2.jpg', 'notes.txt', {overwrite: true})).toMatchObject({ok: true})
    expect(await read('notes.txt')).toBe('two 2')
  })

  it('deletes a file', async () => {
    const {client, dav} = open(server)
    await client.deleteFile('/photos/1.jpg')
    expect(await dav.delete('photos/2.jpg')).toMatchObject({ok: true, status: 204})
    expect(await readdir(join(server.folder, 'photos'))).toEqual(['old'])
  })

  it('keeps a locked member: webdav says nothing of it, ours names it', async () => {
    const {client, dav} = open(server)
    await lock(`${server.url}photos/old/3.jpg`)
    // #region delete
    // webdav
    await client.deleteFile('/photos')
    console.log('deleted')
    // #endregion
    expect(await read('photos/old/3.jpg')).toBe('three 3')
    // #region delete
    // multistatus
    const deleted = await dav.delete('photos/')
    if (deleted.ok) console.log('deleted')
    else for (const {url, status} of deleted.members ?? []) console.log('kept', url, status)
    // #endregion
    expect(deleted).toMatchObject({ok: false, reason: 'member'})
    expect(vi.mocked(console.log).mock.calls).toEqual([
      ['deleted'],
      ['kept', `${server.url}photos/old/3.jpg`, 423],
      ['kept', `${server.url}photos/old/`, 500],
    ])
  })

  it('makes a folder and its parents; both let it be there already', async () => {
    const {client, dav} = open(server)
    // #region mkcol
    // webdav
    await client.createDirectory('/theirs/2026/11', {recursive: true})
    // #endregion
    // #region mkcol
    // multistatus
    const made = await dav.mkcol('ours/2026/11/', {parents: true})
    // #endregion
    expect(made.status).toBe(201)
    expect(await readdir(join(server.folder, 'theirs/2026'))).toEqual(['11'])
    expect(await readdir(join(server.folder, 'ours/2026'))).toEqual(['11'])
    await client.createDirectory('/theirs/2026/11', {recursive: true})
    expect(await dav.mkcol('ours/2026/11/', {parents: true})).toMatchObject({ok: true})
  })
})

describe('locks', () => {
  it('are taken, kept for a time and given back', async () => {
    const {client, dav} = open(server)
    // #region lock
    // webdav
    const headers = {'content-type': 'application/xml'}
    const {token, serverTimeout} = await client.lock('/notes.txt', {timeout: 'Second-600', headers})
    await client.unlock('/notes.txt', `<${token}>`)
    // #endregion
    // #region lock
    // multistatus
    const held = unwrap(await dav.lock('notes.txt', {depth: 0, timeout: 600_000}))
    await dav.put('notes.txt', 'Changed.', {lockToken: held.token})
    const unlocked = await held.unlock()
    // #endregion
    await expect(client.lock('/notes.txt')).rejects.toMatchObject({status: 415})
    expect(serverTimeout).toMatch(/^Second-\d/)
    expect(held.timeout).toBeGreaterThan(0)
    expect(unlocked.ok).toBe(true)
    expect(await read('notes.txt')).toBe('Changed.')
    expect(dav.locks).toEqual([])
  })
})

describe('properties, reports and the rest', () => {
  it('sets a property: by a request of your own there, by a method here', async () => {
    const {client, dav} = open(server)
    // #region property
    // webdav
    const update = `<propertyupdate xmlns="DAV:"><set><prop>
      <author xmlns="urn:example">Ana &amp; Bo</author>
    </prop></set></propertyupdate>`
    const headers = {'content-type': 'application/xml'}
    await client.customRequest('/notes.txt', {method: 'PROPPATCH', data: update, headers})
    // #endregion
    const author = '{urn:example}author'
    const theirs = await dav.stat('notes.txt', {properties: [author]})
    expect(unwrap(theirs).properties[author]).toBe('Ana & Bo')
    // #region property
    // multistatus
    const verdict = await dav.proppatch('notes.txt', {set: {'{urn:example}author': 'Cy & Di'}})
    if (!verdict.ok) console.log(verdict.status, verdict.missing)
    // #endregion
    expect(verdict.ok).toBe(true)
    const ours = await dav.stat('notes.txt', {properties: [author]})
    expect(unwrap(ours).properties[author]).toBe('Cy & Di')
  })

  it('sends a request of any method; a status of 400 and more throws there, and is an answer here', async () => {
    const {client, dav} = open(server)
    // #region request
    // webdav
    const response = await client.customRequest('/notes.txt', {method: 'HEAD'})
    // #endregion
    // #region request
    // multistatus
    const answer = await dav.request('HEAD', 'notes.txt')
    // #endregion
    expect([response.headers.get('etag'), answer.headers.get('etag')]).toEqual([
      response.headers.get('etag'),
      response.headers.get('etag'),
    ])
    expect([response.status, answer.status]).toEqual([200, 200])
    await expect(client.customRequest('/gone.txt', {method: 'HEAD'})).rejects.toMatchObject({
      status: 404,
    })
    expect((await dav.request('HEAD', 'gone.txt')).status).toBe(404)
  })

  it('tells the classes of the server', async () => {
    const {client, dav} = open(server)
    // #region options
    // webdav
    const {compliance} = await client.getDAVCompliance('/')
    // #endregion
    // #region options
    // multistatus
    const {classes, extensions, methods} = unwrap(await dav.options(''))
    // #endregion
    expect(compliance).toEqual(['1', '3', '2'])
    expect([classes, extensions]).toEqual([['1', '3', '2'], []])
    expect(methods).toContain('LOCK')
  })

  it('searches with a body of your own', async () => {
    const {client, dav} = open(faults)
    const body = '<searchrequest xmlns="DAV:"/>'
    const found = {href: '/photos/1.jpg', properties: {getcontentlength: 3, resourcetype: []}}
    faults.answers({status: 207, body: multistatusBody([found])})
    // #region search
    // webdav
    const {results} = (await client.search('/', {data: body})) as SearchResult
    // #endregion
    // #region search
    // multistatus
    const {successes, summary} = await dav.search('', {body}).collect()
    if (!summary.complete) console.log('There are more.')
    // #endregion
    expect(results).toMatchObject([{filename: '/photos/1.jpg', size: 3}])
    expect(successes).toMatchObject([{href: '/photos/1.jpg', properties: {getcontentlength: 3}}])
    expect(faults.requests.slice(-2)).toMatchObject([
      {method: 'SEARCH', body},
      {method: 'SEARCH', body},
    ])
  })

  it('decodes properties by functions of your own', async () => {
    const {url} = faults
    const tags = [{name: '{urn:example}tag', attributes: {weight: '7'}, children: ['a,b']}]
    faults.answers({
      status: 207,
      body: multistatusBody([{href: '/notes.txt', properties: {'{urn:example}tags': tags}}]),
    })
    const client = createClient(url)
    // #region decoder
    // webdav
    const isTag = (path: string): boolean => path.endsWith('prop.tags.tag')
    client.registerTagParser((path, text) => (isTag(path) ? text.split(',') : undefined))
    client.registerAttributeParser((path, text) => (isTag(path) ? Number(text) : undefined))
    const file = (await client.stat('/notes.txt', {details: true})) as {data: FileStat}
    // #endregion
    // #region decoder
    // multistatus
    const decoders = {
      '{urn:example}tags': (value: RawValue) =>
        childrenOf(value).map((tag) => [textOf(tag)?.split(','), Number(tag.attributes['weight'])]),
    }
    const dav = new DavClient({url, decoders})
    const {properties} = unwrap(await dav.stat('notes.txt', {properties: ['{urn:example}tags']}))
    // #endregion
    expect(file.data.props?.['tags']).toEqual({
      tag: {text: ['a', 'b'], '@weight': 7},
    })
    expect(properties['{urn:example}tags']).toEqual([[['a', 'b'], 7]])
  })
})

describe('guide/from-webdav.md', () => {
  it('has a row for each method and each function of webdav, and each method is called here', async () => {
    const {client} = open(server)
    const guide = await readFile(new URL('../../guide/from-webdav.md', import.meta.url), 'utf8')
    const rows = Array.from(guide.matchAll(/^\| `(\w+)/gm), ([, name]) => name)
    const methods = Object.keys(client)
    const source = await readFile(new URL(import.meta.url), 'utf8')
    expect(new Set(rows)).toEqual(new Set([...Object.keys(webdav), ...methods]))
    expect(methods.filter((name) => !source.includes(`client.${name}(`))).toEqual([])
  })
})

/** The two clients of a server. */
function open({url}: {readonly url: string}): {
  readonly client: WebDAVClient
  readonly dav: DavClient
} {
  return {client: createClient(url), dav: new DavClient({url})}
}

/** The requests that a call sends to the scripted server, which answers 404. */
async function sentBy(call: () => Promise<unknown>): Promise<FaultServer['requests']> {
  faults.answers({status: 404})
  faults.forget()
  await call()
  return faults.requests
}

function store(path: string, content: string): Promise<void> {
  return writeFile(join(server.folder, path), content)
}

function read(path: string): Promise<string> {
  return readFile(join(server.folder, path), 'utf8')
}
