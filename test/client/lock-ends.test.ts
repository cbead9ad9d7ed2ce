// States when locks end, and when the client knows that one is lost: a 412 alone does not say so. Also the requests that a server
// refuses although its locks hold. RFC 4918, sections 7.7, 9.6, 9.9 and 10.4.

import {DavClient, type DavResult, type Lock, type StoredLock} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import type {Answer, FaultServer, SeenRequest} from '../support/fault-server.ts'
import {answer207, CLOSE, listing, startFaultServer, verdicts} from '../support/fault-server.ts'
import {line} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
})

afterEach(() => server.close())

function lockOf(path: string, depth: 0 | 'infinity' = 0): StoredLock {
  return {token: `urn:${path}`, lockRoot: server.url + path, depth}
}

function clientWith(...locks: readonly StoredLock[]): DavClient {
  return new DavClient({url: server.url, transport, locks, concurrency: 1})
}

type Answers = Readonly<Record<string, Answer | ((request: SeenRequest) => Answer)>>

/** Answers by method; 204 to all others. */
function answerTo(answers: Answers): void {
  server.script((request) => {
    const answer = answers[request.method] ?? {status: 204}
    return typeof answer === 'function' ? answer(request) : answer
  })
}

function asked(): string[] {
  return server.requests.map(({method, url}) => `${method} ${url}`)
}

function headersOf(method: string, name = 'if'): unknown[] {
  return server.requests
    .filter((request) => request.method === method)
    .map(({headers}) => headers[name]?.toString().replaceAll(server.url, '/'))
}

function tokensOf(dav: DavClient): string[] {
  return dav.locks.map(({token}) => token)
}

/** Formats the lockdiscovery of tokens; an empty one is a lock whose token the server hides. */
function discovered(...tokens: readonly string[]): string {
  const locks = tokens.map((token) => {
    const shown = token === '' ? '' : `<D:locktoken><D:href>${token}</D:href></D:locktoken>`
    return `<D:activelock>${shown}</D:activelock>`
  })
  return `<D:lockdiscovery>${locks.join('')}</D:lockdiscovery>`
}

/** Answers a PROPFIND for locks, in a propstat with a status. */
function shows(value: string, status = '200 OK'): (request: SeenRequest) => Answer {
  return ({url}) =>
    answer207(
      `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${url}</D:href><D:propstat><D:prop>${value}</D:prop><D:status>HTTP/1.1 ${status}</D:status></D:propstat></D:response></D:multistatus>`,
    )
}

function refreshed(...tokens: readonly string[]): Answer {
  const body = `<D:prop xmlns:D="DAV:">${discovered(...tokens)}</D:prop>`
  return {status: 200, headers: {'content-type': 'application/xml'}, body}
}

const missing = answer207(verdicts({'/a': '404 Not Found'}))

describe('a lock is lost after a 412 to a request with its token', () => {
  it.each<[string, Answers, string[]]>([
    ['the server shows the lock of somebody else', {PROPFIND: shows(discovered('urn:other'))}, []],
    ['the resource is not there', {PROPFIND: missing}, ['UNLOCK /a']],
    [
      'the server shows no lock, and refuses its refresh',
      {PROPFIND: shows(discovered()), LOCK: {status: 412}},
      ['LOCK /a'],
    ],
    [
      'Apache hides all locks, and refuses its refresh',
      {PROPFIND: shows(discovered(), '404 Not Found'), LOCK: {status: 412}},
      ['LOCK /a'],
    ],
    [
      'SabreDAV hides all tokens, and refuses its refresh',
      {PROPFIND: shows(discovered('')), LOCK: {status: 412}},
      ['LOCK /a'],
    ],
    [
      'nephele shows no lock, and answers the refresh with a 207',
      {PROPFIND: shows(discovered()), LOCK: answer207(verdicts({'/a': '412 Precondition Failed'}))},
      ['LOCK /a'],
    ],
  ])('if %s', async (_, answers, further) => {
    answerTo({PUT: {status: 412}, ...answers})
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    const result = await dav.put('a', 'text')
    expect(result).toMatchObject({
      ok: false,
      status: 412,
      reason: 'status',
      lostLocks: ['urn:a'],
      description: `The lock of ${server.url}a is lost`,
    })
    expect(JSON.parse(JSON.stringify(result))).toEqual(result)
    expect(asked()).toEqual(['PUT /a', 'PROPFIND /a', ...further])
    expect(dav.locks).toEqual([])
    expect(lock?.signal.reason).toMatchObject({message: `The lock of ${server.url}a is lost`})
  })

  it('and the new lock that nginx-dav-ext makes is removed', async () => {
    const made = {...refreshed('urn:new'), headers: {'lock-token': '<urn:new>'}}
    answerTo({PUT: {status: 412}, PROPFIND: shows(discovered()), LOCK: made})
    expect(await clientWith(lockOf('a')).put('a', 'text')).toMatchObject({lostLocks: ['urn:a']})
    expect(headersOf('UNLOCK', 'lock-token')).toEqual(['<urn:new>'])
  })

  it('and lighttpd shows no lock, whose refresh it would answer with 200', async () => {
    const headers = {server: 'lighttpd/1.4.69'}
    answerTo({PUT: {status: 412, headers}, PROPFIND: shows(discovered()), LOCK: refreshed('urn:a')})
    expect(await clientWith(lockOf('a')).put('a', 'text')).toMatchObject({lostLocks: ['urn:a']})
    expect(asked()).toEqual(['PUT /a', 'PROPFIND /a'])
  })

  it('and the token of a caller is told too', async () => {
    answerTo({DELETE: {status: 412}, PROPFIND: shows(discovered('urn:other'))})
    const dav = clientWith()
    expect(await dav.delete('a', {lockToken: 'urn:1'})).toMatchObject({lostLocks: ['urn:1']})
  })

  it.each([
    ['DELETE', (dav: DavClient) => dav.delete('a')],
    ['MKCOL', (dav: DavClient) => dav.mkcol('a/')],
    ['PROPPATCH', (dav: DavClient) => dav.proppatch('a', {remove: ['x']})],
    ['COPY', (dav: DavClient) => dav.copy('z', 'a', {overwrite: true})],
    ['MOVE', (dav: DavClient) => dav.move('a', 'z', {overwrite: true})],
  ] as const)('by a %s', async (method, call) => {
    answerTo({[method]: {status: 412}, PROPFIND: shows(discovered('urn:other'))})
    expect(await call(clientWith(lockOf('a')))).toMatchObject({status: 412, lostLocks: ['urn:a']})
  })

  it('but not by a repeated DELETE, whose first attempt removed its resource', async () => {
    const part = answer207(verdicts({'/c/x': '423 Locked'}))
    answerTo({
      DELETE: ({url, headers}) =>
        url === '/c/x' || headers['if'] === undefined
          ? {status: 204}
          : (first.shift() ?? {status: 412}),
      PROPFIND: missing,
    })
    const first: Answer[] = [part]
    const dav = clientWith(lockOf('c/a'))
    const [lock] = dav.locks
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    expect(line(await dav.delete('c/', {retry}))).toBe('204 self /c/')
    expect(headersOf('DELETE')).toEqual([
      '</c/a> (<urn:c/a>)',
      undefined,
      '</c/a> (<urn:c/a>)',
      undefined,
    ])
    expect(dav.locks).toEqual([])
    expect(lock?.signal.aborted).toBe(false)
  })

  it('and the rest of the call submits its token all the same, but the next call does not', async () => {
    answerTo({
      DELETE: ({headers}) => ({status: headers['if'] === undefined ? 204 : 412}),
      PROPFIND: shows(discovered('urn:other')),
    })
    const dav = clientWith(lockOf('c/', 'infinity'))
    const {failures, successes} = await dav.deleteMany(['c/1', 'c/2', 'c/3']).collect()
    expect(successes).toEqual([])
    expect(failures.map(({lostLocks}) => lostLocks)).toEqual([['urn:c/'], ['urn:c/'], ['urn:c/']])
    expect(asked()).toEqual(['DELETE /c/1', 'PROPFIND /c/', 'DELETE /c/2', 'DELETE /c/3'])
    expect(line(await dav.delete('c/1'))).toBe('204 self /c/1')
  })

  it('and no call that is under way writes without its token', async () => {
    const dav = clientWith(lockOf('c/', 'infinity'))
    const [lock] = dav.locks
    const refreshes: unknown[] = []
    server.script(async ({method}) => {
      if (method === 'LOCK') return {status: 412}
      if (method === 'PROPFIND') return missing
      // The first upload is under way while the refresh tells of the loss.
      if (refreshes.length === 0) refreshes.push(await lock?.refresh())
      return {status: 201}
    })
    const uploads = ['c/1', 'c/2'].map((href) => ({href, body: 'text'}))
    const {summary} = await dav.putMany(uploads).collect()
    expect(summary.successes).toBe(2)
    expect(refreshes).toMatchObject([{status: 412, description: 'The lock is lost'}])
    expect(dav.locks).toEqual([])
    expect(headersOf('PUT')).toEqual(['</c/> (<urn:c/>)', '</c/> (<urn:c/>)'])
    await dav.put('c/1', 'text')
    expect(headersOf('PUT').at(-1)).toBeUndefined()
  })

  it('and is told beside a doubt whether an earlier attempt has written', async () => {
    let sent = 0
    answerTo({
      PUT: () => ({status: sent++ === 0 ? 503 : 412}),
      PROPFIND: shows(discovered('urn:other')),
    })
    const retry = {attempts: 2, minDelay: 1, maxDelay: 2}
    const result = await clientWith(lockOf('a')).put('a', 'text', {ifMatch: '"1"', retry})
    expect(result).toMatchObject({reason: 'no-answer', lostLocks: ['urn:a']})
  })

  it('and an upload that went beside its target is not moved over it', async () => {
    const file =
      '<D:resourcetype/><D:getetag>"1"</D:getetag><D:getcontentlength>4</D:getcontentlength>'
    answerTo({
      PUT: {status: 201},
      MOVE: ({headers}) => ({status: headers['if'] === undefined ? 204 : 412}),
      PROPFIND: (request) =>
        shows(request.body.includes('lockdiscovery') ? discovered('urn:other') : file)(request),
    })
    const dav = clientWith(lockOf('a'))
    const result = await dav.put('a', 'text', {safely: true, ifMatch: '"1"'})
    expect(result).toMatchObject({status: 412, lostLocks: ['urn:a']})
    expect(headersOf('MOVE')).toEqual(['</a> (<urn:a> ["1"])'])
  })
})

describe('a lock is not known to be lost', () => {
  it.each<[string, Answers]>([
    ['the server shows it', {PROPFIND: shows(discovered('urn:other', 'urn:a'))}],
    [
      'the server hides it, and refreshes it',
      {PROPFIND: shows(discovered(), '404 Not Found'), LOCK: refreshed('urn:a')},
    ],
    [
      'Apache shows no lock, and refreshes it',
      {PROPFIND: shows(discovered()), LOCK: refreshed('urn:a')},
    ],
    [
      'Apache shows no lock, and a 200 has no body',
      {PROPFIND: shows(discovered()), LOCK: {status: 200}},
    ],
    [
      'the server refuses to show it and to refresh it',
      {PROPFIND: {status: 403}, LOCK: {status: 403}},
    ],
    [
      'the server shows no lock, and refuses its refresh with 403',
      {PROPFIND: shows(discovered()), LOCK: {status: 403}},
    ],
    [
      'the server hides all tokens, and answers the refresh with a page',
      {PROPFIND: shows(discovered('')), LOCK: {status: 200, body: '<html/>'}},
    ],
  ])('if %s', async (_, answers) => {
    answerTo({PUT: {status: 412}, ...answers})
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    const result = await dav.put('a', 'text', {ifMatch: '"1"'})
    expect(line(result)).toBe('412 status self /a')
    expect(result).not.toHaveProperty('lostLocks')
    expect(tokensOf(dav)).toEqual(['urn:a'])
    expect(lock?.signal.aborted).toBe(false)
  })

  it('if the look for it breaks', async () => {
    server.answers({status: 412}, CLOSE)
    const dav = clientWith(lockOf('a'))
    expect(line(await dav.put('a', 'text'))).toBe('412 status self /a')
    expect(tokensOf(dav)).toEqual(['urn:a'])
  })

  it('after a 423, and nothing is looked at', async () => {
    answerTo({PUT: {status: 423}})
    expect(line(await clientWith(lockOf('a')).put('a', 'text'))).toBe('423 status self /a')
    expect(asked()).toEqual(['PUT /a'])
  })

  it('after a 412 to a request without a token', async () => {
    answerTo({PUT: {status: 412}})
    await clientWith(lockOf('b')).put('a', 'text', {ifMatch: '"1"'})
    expect(asked()).toEqual(['PUT /a'])
  })
})

describe('a 412 although all locks hold', () => {
  const held = shows(discovered('urn:a', 'urn:c/', 'urn:c/a', 'urn:c/d/e'))

  it('of the token of a parent makes the request go once more without it: SabreDAV and lighttpd', async () => {
    answerTo({
      PUT: ({headers}) => ({status: headers['if']?.includes('/c/>') === true ? 412 : 204}),
      PROPFIND: held,
    })
    const result = await clientWith(lockOf('c/a'), lockOf('c/')).put('c/a', 'text')
    expect(result).toMatchObject({ok: true, status: 204, attempts: 2})
    expect(headersOf('PUT')).toEqual(['</c/a> (<urn:c/a>) </c/> (<urn:c/>)', '</c/a> (<urn:c/a>)'])
  })

  it('of the token of a member makes a DELETE go once more without it: lighttpd', async () => {
    answerTo({
      DELETE: ({headers}) => ({status: headers['if'] === undefined ? 204 : 412}),
      PROPFIND: held,
    })
    const dav = clientWith(lockOf('c/d/e'))
    expect(line(await dav.delete('c/'))).toBe('204 self /c/')
    expect(headersOf('DELETE')).toEqual(['</c/d/e> (<urn:c/d/e>)', undefined])
    expect(dav.locks).toEqual([])
  })

  it('keeps the ETag of an upload that went beside its target', async () => {
    const file =
      '<D:resourcetype/><D:getetag>"1"</D:getetag><D:getcontentlength>4</D:getcontentlength>'
    answerTo({
      PUT: {status: 201},
      MOVE: ({headers}) => ({status: headers['if']?.includes('/c/>') === true ? 412 : 204}),
      PROPFIND: (request) =>
        request.body.includes('lockdiscovery') ? held(request) : shows(file)(request),
    })
    const dav = clientWith(lockOf('c/a'), lockOf('c/'))
    expect(line(await dav.put('c/a', 'text', {safely: true, ifMatch: '"1"'}))).toBe('204 self /c/a')
    expect(headersOf('MOVE')).toEqual([
      '</c/a> (<urn:c/a> ["1"]) </c/> (<urn:c/>)',
      '</c/a> (<urn:c/a> ["1"])',
    ])
  })

  it.each([412, 423])('is the verdict if the second request is answered %i', async (status) => {
    answerTo({
      PUT: ({headers}) => ({status: headers['if'] === undefined ? status : 412}),
      PROPFIND: held,
    })
    const dav = clientWith(lockOf('c/'))
    expect(line(await dav.put('c/a', 'text'))).toBe('412 status self /c/a')
    expect(asked()).toEqual(['PUT /c/a', 'PROPFIND /c/', 'PUT /c/a'])
    expect(tokensOf(dav)).toEqual(['urn:c/'])
  })

  it('is the verdict at once if one lock may not hold', async () => {
    answerTo({PUT: {status: 412}, PROPFIND: {status: 403}, LOCK: {status: 403}})
    expect(line(await clientWith(lockOf('c/')).put('c/a', 'text'))).toBe('412 status self /c/a')
    expect(asked()).toEqual(['PUT /c/a', 'PROPFIND /c/', 'LOCK /c/'])
  })

  it('does not send a stream twice', async () => {
    answerTo({PUT: {status: 412}, PROPFIND: held})
    const stream = new Blob(['text']).stream()
    const result = await clientWith(lockOf('c/')).put('c/a', stream, {length: 4})
    expect(line(result)).toBe('412 status self /c/a')
    expect(asked()).toEqual(['PUT /c/a', 'PROPFIND /c/'])
  })

  it('to the MOVE of a locked resource gives up its own lock: rclone and x/net', async () => {
    answerTo({
      MOVE: ({headers}) => ({status: headers['if'] === undefined ? 201 : 412}),
      PROPFIND: (request) => (request.url === '/z' ? {status: 404} : held(request)),
    })
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    expect(await dav.move('a', 'z')).toMatchObject({
      ok: true,
      status: 201,
      attempts: 2,
      description: 'Its lock was given up',
    })
    expect(asked()).toEqual(['MOVE /a', 'PROPFIND /a', 'PROPFIND /z', 'UNLOCK /a', 'MOVE /a'])
    expect(headersOf('UNLOCK', 'lock-token')).toEqual(['<urn:a>'])
    expect(headersOf('MOVE')).toEqual(['</a> (<urn:a>)', undefined])
    expect(dav.locks).toEqual([])
    expect(lock?.signal.aborted).toBe(false)
  })

  it('tells of the lock that was given up if the second MOVE fails too', async () => {
    answerTo({
      MOVE: ({headers}) => ({status: headers['if'] === undefined ? 507 : 412}),
      PROPFIND: held,
    })
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    expect(await dav.move('a', 'z', {overwrite: true})).toMatchObject({
      status: 507,
      description: 'Its lock was given up',
    })
    expect(dav.locks).toEqual([])
    expect(lock?.signal.aborted).toBe(true)
  })

  it('tells of the lock that was given up if the second MOVE has no answer', async () => {
    server.script((request) => {
      const {method, headers, url} = request
      if (method === 'MOVE') return headers['if'] === undefined ? CLOSE : {status: 412}
      if (method !== 'PROPFIND') return {status: 204}
      return url === '/z' ? {status: 404} : held(request)
    })
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    await expect(dav.move('a', 'z')).rejects.toMatchObject({name: 'DavNetworkError'})
    expect(dav.locks).toEqual([])
    expect(lock?.signal.aborted).toBe(true)
  })

  it('tells of the one lock of two that was given up', async () => {
    let unlocks = 0
    answerTo({
      MOVE: {status: 412},
      PROPFIND: shows(discovered('urn:a', 'urn:b')),
      UNLOCK: () => ({status: unlocks++ === 0 ? 204 : 403}),
    })
    const dav = clientWith(lockOf('a'), {...lockOf('a'), token: 'urn:b'})
    const [lock] = dav.locks
    expect(await dav.move('a', 'z', {overwrite: true})).toMatchObject({
      status: 412,
      description: 'Its lock was given up',
    })
    expect(asked()).toEqual(['MOVE /a', 'PROPFIND /a', 'PROPFIND /a', 'UNLOCK /a', 'UNLOCK /a'])
    expect(lock?.signal.aborted).toBe(true)
    expect(tokensOf(dav)).toEqual(['urn:b'])
  })

  it('to a repeated MOVE, which goes without the permission to overwrite, keeps the lock', async () => {
    answerTo({
      MOVE: ({headers}) => ({status: headers['overwrite'] === 'T' ? 503 : 412}),
      PROPFIND: held,
    })
    const dav = clientWith(lockOf('a'))
    const retry = {attempts: 2, minDelay: 1, maxDelay: 1}
    expect(line(await dav.move('a', 'z', {overwrite: true, retry}))).toBe('412 status self /a')
    expect(headersOf('MOVE', 'overwrite')).toEqual(['T', 'F'])
    expect(tokensOf(dav)).toEqual(['urn:a'])
  })

  it.each<[string, (dav: DavClient) => Promise<DavResult>, Answers]>([
    ['something is at the destination', (dav) => dav.move('a', 'z'), {}],
    [
      'an ETag may have changed',
      (dav) => dav.move('a', 'z', {overwrite: true, ifMatch: '"1"'}),
      {},
    ],
    [
      'the UNLOCK is refused',
      (dav) => dav.move('a', 'z', {overwrite: true}),
      {UNLOCK: {status: 405}},
    ],
  ])('to a MOVE keeps the lock if %s', async (_, call, answers) => {
    answerTo({MOVE: {status: 412}, PROPFIND: held, ...answers})
    const dav = clientWith(lockOf('a'))
    expect(line(await call(dav))).toBe('412 status self /a')
    expect(headersOf('MOVE')).toEqual(['</a> (<urn:a>)'])
    expect(tokensOf(dav)).toEqual(['urn:a'])
  })

  it('to a MOVE does not give up the token of a caller', async () => {
    answerTo({MOVE: {status: 412}, PROPFIND: held})
    const options = {overwrite: true, lockToken: 'urn:a'}
    expect(line(await clientWith().move('a', 'z', options))).toBe('412 status self /a')
    expect(asked()).toEqual(['MOVE /a', 'PROPFIND /a'])
  })
})

describe('a 423 of SabreDAV to a DELETE of a collection with locked members', () => {
  const error =
    '<d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns"><s:exception>Sabre\\DAV\\Exception\\Locked</s:exception><d:lock-token-submitted/></d:error>'
  const locked = {status: 423, headers: {'content-type': 'application/xml'}, body: error}

  it.each([
    [['c/m'], '<c/> (<urn:c/m>)'],
    [['c/m', 'c/n'], '<c/> (<urn:c/m>) <c/> (<urn:c/n>)'],
  ])(
    'is answered by the tokens of %j, each with the tag of the collection',
    async (paths, lists) => {
      const tagged = lists.replaceAll('<c/>', `<${server.url}c/>`)
      answerTo({DELETE: ({headers}) => (headers['if'] === tagged ? {status: 204} : locked)})
      const result = await clientWith(...paths.map((path) => lockOf(path))).delete('c/')
      expect(result).toMatchObject({ok: true, status: 204, attempts: 2})
    },
  )

  it('is the verdict if that is refused too', async () => {
    answerTo({DELETE: locked})
    const result = await clientWith(lockOf('c/m')).delete('c/')
    expect(result).toMatchObject({status: 423, request: {attempts: 1}})
  })

  it.each([
    ['the collection itself', ['c/']],
    ['nothing', []],
  ])('is the verdict at once if the client has locked %s', async (_, paths) => {
    answerTo({DELETE: locked})
    const dav = clientWith(...paths.map((path) => lockOf(path)))
    expect(line(await dav.delete('c/'))).toBe('423 status self /c/')
    expect(asked()).toEqual(['DELETE /c/'])
  })

  it('of another server is the verdict at once', async () => {
    const body = '<D:error xmlns:D="DAV:"><D:lock-token-submitted/></D:error>'
    answerTo({DELETE: {...locked, body}})
    await clientWith(lockOf('c/m')).delete('c/')
    expect(asked()).toEqual(['DELETE /c/'])
  })
})

describe('a 423 of nginx to a request with the token of its target', () => {
  const headers = {server: 'nginx/1.22.1'}
  const path = encodeURIComponent('100% #1?.txt')

  it('is answered by the token in a list without a tag', async () => {
    const own = `(<urn:${path}>)`
    answerTo({DELETE: (request) => ({status: request.headers['if'] === own ? 204 : 423, headers})})
    const result = await clientWith(lockOf(path)).delete(path)
    expect(result).toMatchObject({ok: true, status: 204, attempts: 2})
    expect(headersOf('DELETE')).toEqual([`</${path}> ${own}`, own])
  })

  it('is the verdict if that is refused too, and at once for the token of a parent', async () => {
    answerTo({DELETE: {status: 423, headers}})
    expect(line(await clientWith(lockOf(path)).delete(path))).toBe(`423 status self /${path}`)
    expect(asked()).toEqual([`DELETE /${path}`, `DELETE /${path}`])
    await clientWith(lockOf('c/')).delete('c/m')
    expect(asked().slice(2)).toEqual(['DELETE /c/m'])
  })
})

describe('a lock ends with its resource', () => {
  it.each([204, 400, 404, 409, 412, 500])(
    'after a DELETE of it, and the answer %i to its UNLOCK does not count',
    async (status) => {
      answerTo({UNLOCK: {status}})
      const dav = clientWith(lockOf('a'), lockOf('b'))
      const [lock] = dav.locks
      const result = await dav.delete('a')
      expect(result).toMatchObject({ok: true, status: 204})
      expect(result).not.toHaveProperty('description')
      expect(asked()).toEqual(['DELETE /a', 'UNLOCK /a'])
      expect(headersOf('UNLOCK', 'lock-token')).toEqual(['<urn:a>'])
      expect(tokensOf(dav)).toEqual(['urn:b'])
      expect(lock?.signal.aborted).toBe(false)
    },
  )

  it('after a DELETE whose UNLOCK is lost', async () => {
    server.answers({status: 204}, CLOSE)
    const dav = clientWith(lockOf('a'))
    expect(line(await dav.delete('a'))).toBe('204 self /a')
    expect(dav.locks).toEqual([])
  })

  it('after a DELETE of a collection around it, but not after that of a member', async () => {
    answerTo({})
    const dav = clientWith(lockOf('c/', 'infinity'), lockOf('c/d/e'), lockOf('cd'))
    await dav.delete('c/d/e/f')
    expect(tokensOf(dav)).toEqual(['urn:c/', 'urn:c/d/e', 'urn:cd'])
    await dav.delete('c/')
    expect(tokensOf(dav)).toEqual(['urn:cd'])
    expect(asked()).toEqual(['DELETE /c/d/e/f', 'DELETE /c/', 'UNLOCK /c/', 'UNLOCK /c/d/e'])
  })

  it('after each DELETE of a bulk call', async () => {
    answerTo({DELETE: ({url}) => ({status: url === '/b' ? 423 : 204})})
    const dav = clientWith(lockOf('a'), lockOf('b'), lockOf('c'))
    await dav.deleteMany(['a', 'b', 'c']).collect()
    expect(tokensOf(dav)).toEqual(['urn:b'])
    expect(asked()).toEqual(['DELETE /a', 'UNLOCK /a', 'DELETE /b', 'DELETE /c', 'UNLOCK /c'])
  })

  it('after a MOVE, at its old name, while a lock at the destination stays', async () => {
    answerTo({MOVE: {status: 201}})
    const dav = clientWith(lockOf('a/', 'infinity'), lockOf('a/b'), lockOf('z/'))
    await dav.move('a/', 'z/y/')
    expect(asked()).toEqual(['MOVE /a/', 'UNLOCK /a/', 'UNLOCK /a/b'])
    expect(tokensOf(dav)).toEqual(['urn:z/'])
  })

  it('not after a COPY of it or over it', async () => {
    answerTo({COPY: {status: 204}})
    const dav = clientWith(lockOf('a'))
    await dav.copy('a', 'b')
    await dav.copy('b', 'a', {overwrite: true})
    expect(tokensOf(dav)).toEqual(['urn:a'])
    expect(asked()).toEqual(['COPY /a', 'COPY /b'])
  })

  it.each<[string, Answer]>([
    ['a refusal', {status: 403}],
    ['a 202', {status: 202}],
    ['a failed member', answer207(verdicts({'/c/x': '403 Forbidden'}))],
    [
      'a failed member beside a success of the collection',
      answer207(verdicts({'/c/': '204 No Content', '/c/x': '403 Forbidden'})),
    ],
  ])('not after %s', async (_, answer) => {
    answerTo({DELETE: answer})
    const dav = clientWith(lockOf('c/y'))
    await dav.delete('c/')
    expect(tokensOf(dav)).toEqual(['urn:c/y'])
    expect(asked()).toEqual(['DELETE /c/'])
  })

  it('after a lost answer to a DELETE, and a 404 to the second one', async () => {
    server.answers({status: 503}, {status: 404}, {status: 404})
    const dav = clientWith(lockOf('a'))
    const retry = {attempts: 2, minDelay: 1, maxDelay: 2}
    expect(line(await dav.delete('a', {retry}))).toBe('404 self /a')
    expect(dav.locks).toEqual([])
    expect(asked()).toEqual(['DELETE /a', 'DELETE /a', 'UNLOCK /a'])
  })

  it.each([404, 410])('after a %i to a DELETE: nothing is there any more', async (status) => {
    server.answers({status}, {status: 409})
    const dav = clientWith(lockOf('a'))
    expect(line(await dav.delete('a'))).toBe(`${status} status self /a`)
    expect(dav.locks).toEqual([])
    expect(asked()).toEqual(['DELETE /a', 'UNLOCK /a'])
  })

  it('not after a 404 beside a member that stands', async () => {
    server.answers(answer207(verdicts({'/c/': '404 Not Found', '/c/y': '423 Locked'})))
    const dav = clientWith(lockOf('c/y'))
    await dav.delete('c/')
    expect(tokensOf(dav)).toEqual(['urn:c/y'])
    expect(asked()).toEqual(['DELETE /c/'])
  })

  it('not after a 404 to a MOVE, which may be that of a parent of its destination', async () => {
    server.answers({status: 404})
    const dav = clientWith(lockOf('a'))
    expect(line(await dav.move('a', 'x/b'))).toBe('404 status self /a')
    expect(tokensOf(dav)).toEqual(['urn:a'])
  })

  it('after a MOVE whose answer is lost, because the source is gone and the destination there', async () => {
    server.script(({method, url}) => {
      if (method === 'MOVE') return CLOSE
      if (method === 'PROPFIND') return url === '/a' ? {status: 404} : answer207(listing('/z'))
      return {status: 409}
    })
    const dav = clientWith(lockOf('a'))
    const [lock] = dav.locks
    expect(line(await dav.move('a', 'z'))).toBe('404 self /a')
    expect(asked()).toEqual(['MOVE /a', 'PROPFIND /a', 'PROPFIND /z', 'UNLOCK /a'])
    expect(dav.locks).toEqual([])
    expect(lock?.signal.aborted).toBe(false)
  })

  it.each(['delete', 'move'] as const)(
    'and is not lost if a %s answers 412 to the repetition of a request that was done',
    async (verb) => {
      let sent = 0
      server.script(({method, url}) => {
        if (method === 'PROPFIND') return url === '/a' ? {status: 404} : answer207(listing('/z'))
        if (method === 'UNLOCK') return {status: 409}
        return sent++ === 0 ? {status: 504} : {status: 412}
      })
      const dav = clientWith(lockOf('a'))
      const [lock] = dav.locks
      const retry = {attempts: 2, minDelay: 1, maxDelay: 2}
      const result = await (verb === 'delete'
        ? dav.delete('a', {retry})
        : dav.move('a', 'z', {retry}))
      expect(line(result)).toBe('404 self /a')
      expect(lock?.signal.aborted).toBe(false)
      expect(dav.locks).toEqual([])
    },
  )

  it('and is not unlocked again at the end of its block', async () => {
    answerTo({
      LOCK: {...refreshed('urn:1'), headers: {'lock-token': '<urn:1>', 'content-type': 'text/xml'}},
    })
    const dav = clientWith()
    {
      const lock = await dav.lock('a')
      if (!lock.ok) throw new Error('not locked')
      await using held: Lock = lock
      expect(held.token).toBe('urn:1')
      await dav.delete('a')
    }
    expect(asked()).toEqual(['LOCK /a', 'DELETE /a', 'UNLOCK /a'])
    expect(headersOf('DELETE')).toEqual(['</a> (<urn:1>)'])
  })
})
