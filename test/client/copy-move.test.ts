// States the requests of COPY and MOVE, and the verdict for each answer. RFC 4918, sections 9.8, 9.9, 10.3 and 10.6.

import {DavClient, type DavResult, type Failure} from 'multistatus'
import {undiciTransport} from 'multistatus/undici'
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest'

import {
  answer207,
  type FaultServer,
  listing,
  OPEN,
  RESET,
  SHUT,
  startFaultServer,
  verdicts,
} from '../support/fault-server.ts'
import {verdict} from '../support/fixtures.ts'
import {line, readToEnd, refusalOf, resultsOf} from '../support/results.ts'

vi.setConfig({testTimeout: 5000})

let server: FaultServer
let dav: DavClient
const transport = undiciTransport()

beforeEach(async () => {
  server = await startFaultServer()
  server.answers({status: 201})
  dav = new DavClient({url: server.url, transport})
})

afterEach(() => server.close())

/** Requests as method, path and, if there is one, path of the destination. */
const sent = (): string[] =>
  server.requests.map(({method, url, headers: {destination}}) =>
    [
      method,
      url,
      ...(destination === undefined ? [] : [new URL(String(destination)).pathname]),
    ].join(' '),
  )

const collection = (path: string) => ({
  url: server.url + path,
  properties: {resourcetype: ['collection']},
})

describe('the request', () => {
  it('of a COPY has Destination, Overwrite and Depth', async () => {
    await dav.copy('a', 'b')
    await dav.copy('a/', 'b', {depth: 0, overwrite: true})
    expect(server.requests).toMatchObject([
      {
        method: 'COPY',
        url: '/a',
        body: '',
        headers: {destination: `${server.url}b`, overwrite: 'F', depth: 'infinity'},
      },
      {
        method: 'COPY',
        url: '/a/',
        headers: {destination: `${server.url}b/`, overwrite: 'T', depth: '0'},
      },
    ])
  })

  it('of a MOVE has Destination and Overwrite, and no Depth', async () => {
    await dav.move('a', 'b')
    await dav.move('a', 'b', {overwrite: true})
    expect(server.requests.map(({headers}) => headers['overwrite'])).toEqual(['F', 'T'])
    expect(server.requests[0]?.headers).toMatchObject({destination: `${server.url}b`})
    expect(server.requests[0]?.headers).not.toHaveProperty('depth')
  })

  it.each([
    ['café.txt', 'caf%C3%A9.txt'],
    ['ไทย', '%E0%B9%84%E0%B8%97%E0%B8%A2'],
    ['100%25%20%231.jpg', '100%25%20%231.jpg'],
    ['a b', 'a%20b'],
    // Servlet containers cut a name at a raw semicolon.
    ['a;b', 'a%3Bb'],
    ['%F0%9F%98%80', '%F0%9F%98%80'],
  ])('escapes the destination %s as a target', async (to, escaped) => {
    await dav.move('x', to)
    expect(server.requests[0]?.headers['destination']).toBe(server.url + escaped)
  })

  it.each<[string, () => Parameters<DavClient['move']>, string]>([
    ['a source with a slash', () => ['a/', 'b'], 'MOVE /a/ /b/'],
    ['a result that is a collection', () => [collection('a'), 'b'], 'MOVE /a/ /b/'],
    ['both with a slash', () => ['a/', 'b/'], 'MOVE /a/ /b/'],
    ['neither with a slash', () => ['a', 'b'], 'MOVE /a /b'],
  ])('has a slash at both ends or at none: %s', async (_, ends, expected) => {
    await dav.move(...ends())
    expect(sent()).toEqual([expected])
  })

  it('that is redirected to the slash of a collection has the slash at both ends', async () => {
    server.script(({url}) =>
      url.endsWith('/') ? {status: 201} : {status: 301, headers: {location: `${url}/`}},
    )
    expect(await dav.move('a', 'b')).toMatchObject({ok: true, status: 201})
    expect(sent()).toEqual(['MOVE /a /b', 'MOVE /a/ /b/'])
  })

  it('has conditions for the source', async () => {
    await dav.move('a', 'b', {ifMatch: '"1"', lockToken: 'urn:1'})
    await dav.copyMany([{from: 'a', to: 'b', ifMatch: '2', lockToken: '<urn:2>'}]).collect()
    expect(server.requests.map(({headers}) => [headers['if-match'], headers['if']])).toEqual([
      ['"1"', `<${server.url}a> (<urn:1>)`],
      ['"2"', `<${server.url}a> (<urn:2>)`],
    ])
  })

  it.each([1, '0', 'Infinity', {walk: true}])('of a COPY has no depth %j', async (depth) => {
    const options = JSON.parse(JSON.stringify({depth}))
    const call = (): unknown => dav.copy('a', 'b', options)
    expect(String(await refusalOf(call))).toBe("TypeError: copy: depth is 0 or 'infinity'")
    expect(sent()).toEqual([])
  })

  it('is not sent in a dry run', async () => {
    const options = {dryRun: true, overwrite: true, parents: true}
    expect(await dav.copy('a/', 'b', options)).toMatchObject({
      ok: true,
      status: 0,
      request: {
        method: 'COPY',
        url: `${server.url}a/`,
        destination: `${server.url}b/`,
        depth: 'infinity',
        overwrite: true,
        parents: true,
        attempts: 0,
      },
    })
    const [planned] = await Array.fromAsync(dav.moveMany([{from: 'a', to: 'b'}], {dryRun: true}))
    expect(planned?.request).toEqual({
      method: 'MOVE',
      url: `${server.url}a`,
      destination: `${server.url}b`,
      attempts: 0,
    })
    expect(sent()).toEqual([])
  })
})

const locked = 'HTTP/1.1 423 Locked'
const submitted = '<D:error><D:lock-token-submitted/></D:error>'

describe('the examples of RFC 4918', () => {
  const index = '~fielding/index.html'
  const users = 'users/f/fielding/index.html'

  it('9.8.6: a COPY that replaces a resource', async () => {
    server.answers({status: 204})
    expect(await dav.copy(index, users, {overwrite: true})).toEqual({
      ok: true,
      href: '/~fielding/index.html',
      url: `${server.url}~fielding/index.html`,
      relation: 'self',
      status: 204,
      properties: {},
      missing: [],
      destination: `${server.url}users/f/fielding/index.html`,
    })
  })

  it('9.8.7: a COPY without Overwrite onto a resource', async () => {
    server.answers({status: 412})
    expect(await dav.copy(index, users)).toEqual({
      ok: false,
      href: '/~fielding/index.html',
      url: `${server.url}~fielding/index.html`,
      relation: 'self',
      status: 412,
      reason: 'status',
      conditions: [],
      missing: [],
      request: {
        method: 'COPY',
        url: `${server.url}~fielding/index.html`,
        depth: 'infinity',
        destination: `${server.url}users/f/fielding/index.html`,
        attempts: 1,
      },
    })
  })

  it('9.8.8: a COPY of a collection with a locked member at the destination', async () => {
    const named = verdict('http://www.example.com/othercontainer/R2/', locked, submitted)
    server.answers(answer207(OPEN + named + SHUT))
    const result = await dav.copy('container/', 'othercontainer/')
    expect(line(result)).toBe('424 member self /container/')
    expect(result.members).toMatchObject([
      {
        status: 423,
        reason: 'status',
        relation: 'member',
        href: 'http://www.example.com/othercontainer/R2/',
        url: `${server.url}othercontainer/R2/`,
        conditions: ['lock-token-submitted'],
      },
    ])
  })

  it.each([
    ['before', ['/b', '/a']],
    ['behind', ['/a', '/b']],
  ])('has the verdict of the target, and tells of its destination %s it', async (_, order) => {
    const statuses = {'/a': 'HTTP/1.1 424 Failed Dependency', '/b': 'HTTP/1.1 423 Locked'}
    const named = order.map((href) => verdict(href, statuses[href as keyof typeof statuses]))
    server.answers(answer207(OPEN + named.join('') + SHUT))
    const result = await dav.move('a', 'b')
    expect(line(result)).toBe('424 status self /a')
    expect(result.description).toBe('The answer says 423 of the destination')
    expect(result.members).toBeUndefined()
  })

  it('is sent again, if the answer named both ends and the policy retries', async () => {
    const both = verdicts({'/a': '424 Failed Dependency', '/b': '423 Locked'})
    server.answers(answer207(both), {status: 201})
    const retry = {attempts: 3, minDelay: 1, maxDelay: 2}
    expect(await dav.move('a', 'b', {retry})).toMatchObject({ok: true, status: 201, attempts: 2})
  })

  it('fails by its destination if that alone failed, or alone was named', async () => {
    const end = verdict('/b', 'HTTP/1.1 423 Locked')
    for (const named of [end, verdict('/a', 'HTTP/1.1 201 Created') + end]) {
      server.answers(answer207(OPEN + named + SHUT))
      const result = await dav.move('a', 'b')
      expect(line(result)).toBe('423 status self /b')
      expect(result).toMatchObject({url: `${server.url}a`})
      expect(result.members).toBeUndefined()
    }
  })

  it('9.9.5: a MOVE of a resource', async () => {
    server.answers({status: 201, headers: {location: `${server.url}${users}`}})
    expect(await dav.move(index, users, {overwrite: true})).toMatchObject({
      ok: true,
      status: 201,
      url: `${server.url}~fielding/index.html`,
      relation: 'self',
      destination: `${server.url}users/f/fielding/index.html`,
    })
  })

  it('9.9.6: a MOVE of a collection with a locked member at the destination', async () => {
    const named = verdict('http://www.example.com/othercontainer/C2/', locked, submitted)
    server.answers(answer207(OPEN + named + SHUT))
    const lockToken = 'opaquelocktoken:fe184f2e-6eec-41d0-c765-01adc56e6bb4'
    const result = await dav.move('container/', 'othercontainer/', {lockToken})
    expect(line(result)).toBe('424 member self /container/')
    expect(result.members?.map(line)).toEqual([
      '423 status member http://www.example.com/othercontainer/C2/',
    ])
    // The member needs the token of the collection too.
    expect(result.members?.[0]?.request).toEqual({
      method: 'MOVE',
      url: `${server.url}container/C2/`,
      destination: `${server.url}othercontainer/C2/`,
      conditions: {if: `<${server.url}container/> (<${lockToken}>)`},
      attempts: 1,
    })
  })
})

describe.each<'copy' | 'move'>(['copy', 'move'])('the verdict of a %s', (method) => {
  it.each([201, 204, 200, 202])('%s is a Success with the new URL', async (status) => {
    server.answers({status})
    const result = await dav[method]('a', 'b')
    expect(result).toMatchObject({ok: true, status, href: '/a', destination: `${server.url}b`})
    expect(result).not.toHaveProperty('etag')
    expect('description' in result).toBe(status === 202)
  })

  it('207 without a failure is a Success', async () => {
    server.answers(answer207(OPEN + verdict('/b/x', 'HTTP/1.1 201 Created') + SHUT))
    const result = await dav[method]('a/', 'b/')
    expect(result).toMatchObject({ok: true, status: 207, destination: `${server.url}b/`})
    expect(result.members?.map(line)).toEqual(['201 member /b/x'])
  })

  it.each([403, 404, 409, 412, 423, 424, 502, 507])('%s is a Failure', async (status) => {
    server.answers({status, headers: {'content-type': 'text/plain'}, body: 'no'})
    const result = await dav[method]('a', 'b')
    expect(line(result)).toBe(`${status} status self /a`)
    expect(result).toMatchObject({description: 'no', request: {attempts: 1}})
    expect(result).not.toHaveProperty('destination')
  })

  it.each<[string, string, (url: string) => string]>([
    ['an absolute Location', 'http://HOST/c%20d', (url) => `${url}c%20d`],
    ['a relative Location', '/c', (url) => `${url}c`],
    ['a Location on another host, as behind a proxy', 'http://inner:8080/c', (url) => `${url}b`],
    ['a Location of another scheme', 'javascript:alert(1)', (url) => `${url}b`],
    ['a Location with credentials', 'http://ana:secret@HOST/c', (url) => `${url}c`],
    ['a Location that is no URL', 'http://', (url) => `${url}b`],
    ['no Location', '', (url) => `${url}b`],
  ])('takes the destination from %s', async (_, location, expected) => {
    const {host} = new URL(server.url)
    server.answers({status: 201, headers: {location: location.replace('HOST', host)}})
    expect(await dav[method]('a', 'b')).toMatchObject({destination: expected(server.url)})
  })
})

describe('a member at both ends', () => {
  it('is told as Tomcat 10.1 says it: a locked member of a MOVE is left at the source', async () => {
    server.answers(answer207(OPEN + verdict('/a/locked.txt', locked) + SHUT))
    const result = await dav.move('a/', 'b/')
    expect(line(result)).toBe('424 member self /a/')
    expect(result.members?.map(line)).toEqual(['423 status member /a/locked.txt'])
    expect(result).not.toHaveProperty('destination')
  })

  it('has a request for both ends, escaped as the server named it', async () => {
    const named = verdict('/b/x/100%25%20%23.txt', locked)
    server.answers(answer207(OPEN + named + SHUT))
    const [failed] = (await dav.move('a/', 'b/')).members ?? []
    expect(failed?.request).toMatchObject({
      url: `${server.url}a/x/100%25%20%23.txt`,
      destination: `${server.url}b/x/100%25%20%23.txt`,
    })
  })

  it.each(['/c/x', '/b/..%2Fx', '/b/%00', '/b/%2F', '/ab/x'])(
    'that is named as %s is not sent again',
    async (href) => {
      server.answers(answer207(OPEN + verdict(href, locked) + SHUT))
      const [failed] = (await dav.move('a/', 'b/')).members ?? []
      expect(failed).toMatchObject({ok: false, status: 423})
      expect(failed).not.toHaveProperty('request')
    },
  )
})

/** Answers PROPFIND as if these resources were there, and other methods by a function. */
function withResources(
  there: () => readonly string[],
  answer: (number: number) => ReturnType<Parameters<FaultServer['script']>[0]>,
): void {
  let number = 0
  server.script(({method, url}) => {
    if (method !== 'PROPFIND') return answer(++number)
    return there().includes(url) ? answer207(listing(url)) : {status: 404}
  })
}

const policy = {attempts: 2, minDelay: 1, maxDelay: 1}

describe('a lost answer', () => {
  it('is a Success if the source is gone and the destination is there', async () => {
    withResources(
      () => ['/b'],
      () => RESET,
    )
    const [result] = await Array.fromAsync(dav.moveMany([{from: 'a', to: 'b'}]))
    expect(result).toEqual({
      ok: true,
      href: '/a',
      url: `${server.url}a`,
      relation: 'self',
      status: 404,
      properties: {},
      missing: [],
      description: 'The source is gone, and the destination is there',
      destination: `${server.url}b`,
    })
    expect(await dav.move('a', 'b')).toEqual(result)
  })

  it.each<[string, readonly string[]]>([
    ['at both ends', ['/a', '/b']],
    ['at the source only', ['/a']],
    ['at neither end', []],
  ])('is a no-answer with a resource %s', async (_, there) => {
    withResources(
      () => there,
      () => RESET,
    )
    const results = await Array.fromAsync(dav.moveMany([{from: 'a', to: 'b'}]))
    expect(results.map(line)).toEqual(['0 no-answer self /a'])
    await expect(dav.move('a', 'b')).rejects.toMatchObject({name: 'DavNetworkError'})
  })

  it('to a COPY is a no-answer, whatever is at the destination', async () => {
    withResources(
      () => ['/a', '/b'],
      () => RESET,
    )
    const results = await Array.fromAsync(dav.copyMany([{from: 'a', to: 'b'}]))
    expect(results.map(line)).toEqual(['0 no-answer self /a'])
    expect(sent()).toEqual(['COPY /a /b'])
  })

  it.each([502, 504])(
    'behind a gateway that says %s to a MOVE is looked at too',
    async (status) => {
      withResources(
        () => ['/b'],
        () => ({status}),
      )
      expect(await dav.move('a', 'b')).toMatchObject({ok: true, status: 404})
      withResources(
        () => ['/a'],
        () => ({status}),
      )
      expect(await dav.move('a', 'b')).toMatchObject({ok: false, status, reason: 'status'})
    },
  )

  it('to a MOVE stays a no-answer if the look is refused', async () => {
    server.script(({method}) => (method === 'PROPFIND' ? {status: 500} : RESET))
    const [result] = await Array.fromAsync(dav.moveMany([{from: 'a', to: 'b'}]))
    expect(result && line(result)).toBe('0 no-answer self /a')
  })
})

describe('a refusal of a repeated request', () => {
  it.each([403, 404, 412])('%s of a MOVE that was done before is a Success', async (status) => {
    let there = ['/a', '/b']
    withResources(
      () => there,
      (number) => {
        if (number === 1) return {status: 503}
        there = ['/b']
        return {status}
      },
    )
    const result = await dav.move('a', 'b', {retry: policy})
    expect(result).toMatchObject({ok: true, status: 404, attempts: 2})
    expect(result).toMatchObject({destination: `${server.url}b`})
  })

  it('404 of a MOVE stays a Failure if the destination is missing too', async () => {
    withResources(
      () => [],
      (number) => ({status: number === 1 ? 503 : 404}),
    )
    expect(line(await dav.move('a', 'b', {retry: policy}))).toBe('404 status self /a')
  })

  it('404 of the first request stays a Failure, whatever is at the destination', async () => {
    withResources(
      () => ['/b'],
      () => ({status: 404}),
    )
    expect(line(await dav.move('a', 'b'))).toBe('404 status self /a')
    expect(sent()).toEqual(['MOVE /a /b'])
  })

  it('of a COPY is a no-answer if a resource is there: it may be old, or a copy without members', async () => {
    withResources(
      () => ['/a', '/b'],
      (number) => (number === 1 ? RESET : {status: 412}),
    )
    expect(await dav.copy('a', 'b', {retry: policy})).toMatchObject({
      ok: false,
      status: 0,
      reason: 'no-answer',
      cause: 'unreadable',
      description: 'It was answered 412, and an earlier attempt may have done it',
    })
    expect(sent()).toEqual(['COPY /a /b', 'COPY /a /b', 'PROPFIND /b'])
  })

  it('of a COPY has the words of the server too, if there are any', async () => {
    const refused = {status: 412, headers: {'content-type': 'text/plain'}, body: 'exists'}
    server.script((_, number) => (number === 1 ? RESET : refused))
    expect(await dav.copy('a', 'b', {retry: policy})).toMatchObject({
      description: 'It was answered 412, and an earlier attempt may have done it. exists',
    })
  })

  it('of a COPY is the verdict if nothing is at the destination', async () => {
    withResources(
      () => ['/a'],
      (number) => (number === 1 ? RESET : {status: 423}),
    )
    expect(line(await dav.copy('a', 'b', {retry: policy}))).toBe('423 status self /a')
  })
})

describe('a repeated MOVE with overwrite', () => {
  const overwrites = (): unknown[] =>
    server.requests.flatMap(({method, headers}) => (method === 'MOVE' ? headers['overwrite'] : []))

  it.each<[string, string, string]>([
    // An earlier attempt may have moved members, and the server would delete them at the destination.
    ['of a collection does not overwrite', 'a/', 'F'],
    ['of a file overwrites', 'a', 'T'],
  ])('%s', async (_, from, expected) => {
    withResources(
      () => ['/a', '/a/', '/b', '/b/'],
      (number) => ({status: number === 1 ? 503 : 201}),
    )
    await dav.move(from, 'b', {overwrite: true, retry: policy})
    expect(overwrites()).toEqual(['T', expected])
  })

  it('does not overwrite if the kind of the source is unknown', async () => {
    server.script(({method}, number) => ({status: method === 'MOVE' && number > 1 ? 201 : 503}))
    await dav.move('a', 'b', {overwrite: true, retry: policy})
    expect(overwrites()).toEqual(['T', 'F'])
  })

  it('keeps to that in a retry from JSON', async () => {
    withResources(
      () => ['/a/', '/b/'],
      () => ({status: 503}),
    )
    const failure: DavResult = JSON.parse(
      JSON.stringify(await dav.move('a/', 'b/', {overwrite: true})),
    )
    if (failure.ok) throw new Error('The MOVE was refused')
    await dav.retry([failure], 1).collect()
    expect(overwrites()).toEqual(['T', 'F'])
  })

  it('of a COPY overwrites, because the source is left', async () => {
    server.script((_, number) => ({status: number === 1 ? 503 : 201}))
    await dav.copy('a/', 'b', {overwrite: true, retry: policy})
    expect(server.requests.map(({headers}) => headers['overwrite'])).toEqual(['T', 'T'])
  })
})

describe('missing parents of the destination', () => {
  /** A server with these collections, and the source. It refuses a destination without a parent by a status. */
  function withCollections(there: Set<string>, status: number, source?: string): void {
    const hasParent = (path: string): boolean => there.has(path.replace(/[^/]+\/?$/, ''))
    server.script(({method, url, headers}) => {
      if (method === 'PROPFIND')
        return url === source || there.has(url) ? answer207(listing(url)) : {status: 404}
      if (method !== 'MKCOL') {
        const {pathname} = new URL(String(headers['destination']))
        return {status: hasParent(pathname) ? 201 : status}
      }
      if (there.has(url)) return {status: 405}
      if (!hasParent(url)) return {status: 409}
      there.add(url)
      return {status: 201}
    })
  }

  it('are made, the nearest one first, and the request is sent once more', async () => {
    withCollections(new Set(['/', '/x/']), 409)
    const result = await dav.move('a', 'x/y/z/b', {parents: true})
    expect(result).toMatchObject({ok: true, status: 201, attempts: 2})
    expect(result).toMatchObject({destination: `${server.url}x/y/z/b`})
    expect(sent()).toEqual([
      'MOVE /a /x/y/z/b',
      'MKCOL /x/y/z/',
      'MKCOL /x/y/',
      'MKCOL /x/y/z/',
      'MOVE /a /x/y/z/b',
    ])
  })

  it('are made for a collection too, and by COPY', async () => {
    withCollections(new Set(['/']), 409)
    expect(await dav.copy('a/', 'x/b', {parents: true})).toMatchObject({ok: true, status: 201})
    expect(sent()).toEqual(['COPY /a/ /x/b/', 'MKCOL /x/', 'COPY /a/ /x/b/'])
  })

  it('do not let a MOVE of a collection overwrite when it is sent again', async () => {
    withCollections(new Set(['/']), 409, '/a/')
    expect(await dav.move('a/', 'x/b/', {parents: true, overwrite: true})).toMatchObject({ok: true})
    const moves = server.requests.filter(({method}) => method === 'MOVE')
    expect(moves.map(({headers}) => headers['overwrite'])).toEqual(['T', 'F'])
  })

  it('are not made after an answer that names members', async () => {
    server.answers(answer207(verdicts({'/a/': '409 Conflict', '/x/b/y': '423 Locked'})))
    const result = await dav.move('a/', 'x/b/', {parents: true})
    expect(line(result)).toBe('409 status self /a/')
    expect(sent()).toEqual(['MOVE /a/ /x/b/'])
  })

  it('are not made after the end of a bulk call, and the refusal stays the verdict', async () => {
    const controller = new AbortController()
    server.script(() => {
      controller.abort(new Error('enough'))
      return {status: 409}
    })
    const options = {parents: true, signal: controller.signal}
    const stream = dav.moveMany([{from: 'a', to: 'x/b'}], options)
    const {results, error} = await readToEnd(stream)
    expect(results.map(line)).toEqual(['409 status self /a'])
    expect(String(error)).toBe('Error: enough')
    expect(sent()).toEqual(['MOVE /a /x/b'])
  })

  it('are not made unless asked for', async () => {
    withCollections(new Set(['/']), 409)
    expect(line(await dav.move('a', 'x/b'))).toBe('409 status self /a')
    expect(sent()).toEqual(['MOVE /a /x/b'])
  })

  it('are not made if they are there', async () => {
    withCollections(new Set(['/']), 409)
    await dav.move('a', 'b', {parents: true})
    expect(sent()).toEqual(['MOVE /a /b'])
  })

  it.each([
    ['mod_dav_svn 1.14', 404],
    ['rclone 1.60 and x/net 0.7', 403],
    ['Apache 2.4 and nginx 1.22', 500],
  ])('are looked for, as of %s, after a %s', async (_, status) => {
    withCollections(new Set(['/']), status, '/a')
    expect(await dav.copy('a', 'x/b', {parents: true})).toMatchObject({ok: true, status: 201})
    expect(sent()).toEqual([
      'COPY /a /x/b',
      'PROPFIND /a',
      'PROPFIND /x/',
      'MKCOL /x/',
      'COPY /a /x/b',
    ])
  })

  it('are not made after a 404 of a missing source', async () => {
    withCollections(new Set(['/']), 404)
    expect(line(await dav.copy('a', 'x/b', {parents: true}))).toBe('404 status self /a')
    expect(sent()).toEqual(['COPY /a /x/b', 'PROPFIND /a'])
  })

  it('are not made after a 500 if they are there', async () => {
    server.script(({method, url}) => (method === 'COPY' ? {status: 500} : answer207(listing(url))))
    expect(line(await dav.copy('a/', 'x/b/', {parents: true}))).toBe('500 status self /a/')
    expect(sent()).toEqual(['COPY /a/ /x/b/', 'PROPFIND /a/', 'PROPFIND /x/'])
  })

  it('are not made if the look is refused', async () => {
    server.script(({method}) => ({status: method === 'COPY' ? 404 : 403}))
    expect(line(await dav.copy('a', 'x/b', {parents: true}))).toBe('404 status self /a')
    expect(sent()).toEqual(['COPY /a /x/b', 'PROPFIND /a'])
  })

  it('that cannot be made are the verdict', async () => {
    server.script(({method}) => ({status: method === 'MKCOL' ? 507 : 409}))
    const result = await dav.move('a', 'x/y/b', {parents: true})
    expect(result).toMatchObject({
      ok: false,
      url: `${server.url}a`,
      status: 507,
      reason: 'status',
      description: `Its parent ${server.url}x/y/ could not be made: answered 507`,
      request: {method: 'MOVE', url: `${server.url}a`, parents: true, attempts: 1},
    })
    expect(sent()).toEqual(['MOVE /a /x/y/b', 'MKCOL /x/y/'])
  })

  it('end at the base of the client', async () => {
    server.script(() => ({status: 409}))
    const inner = new DavClient({url: `${server.url}files/`, transport})
    expect(await inner.move('a', 'x/b', {parents: true})).toMatchObject({ok: false, status: 409})
    expect(sent()).toEqual(['MOVE /files/a /files/x/b', 'MKCOL /files/x/', 'PROPFIND /files/x/'])
  })
})

describe('a retry of a collection and its members from JSON', () => {
  const partly = answer207(verdicts({'/a/x': '423 Locked', '/a/y': '423 Locked'}))
  const queue = async (answer: Promise<DavResult>): Promise<Failure[]> => {
    const failures = resultsOf(await answer).filter((result) => !result.ok)
    return JSON.parse(JSON.stringify(failures))
  }

  it('has the Success of a COPY when its members are copied: again, it would meet its copy', async () => {
    server.answers(partly)
    const failures = await queue(dav.copy('a/', 'b/'))
    server.answers({status: 201})
    const results = await Array.fromAsync(dav.retry(failures, 1))
    expect(results.map(line)).toEqual(['201 self /a/x', '201 self /a/y', '207 self /a/'])
    expect(sent()).toEqual(['COPY /a/ /b/', 'COPY /a/x /b/x', 'COPY /a/y /b/y'])
  })

  it('counts the members of each destination apart', async () => {
    const failures: Failure[] = []
    for (const to of ['b/', 'c/']) {
      server.answers(partly)
      failures.push(...(await queue(dav.copy('a/', to))))
    }
    // The caller has left out one member of each copy.
    const some = failures.filter(({request}) => request?.url !== `${server.url}a/y`)
    server.answers({status: 201})
    const before = sent().length
    await Array.fromAsync(dav.retry(some, 1))
    expect(sent().slice(before).toSorted()).toEqual([
      'COPY /a/ /b/',
      'COPY /a/ /c/',
      'COPY /a/x /b/x',
      'COPY /a/x /c/x',
    ])
  })

  it('keeps the Failure of a COPY while a member fails, in any order of the failures', async () => {
    server.answers(partly)
    const failures = await queue(dav.copy('a/', 'b/'))
    server.script(({url}) => ({status: url === '/a/x' ? 201 : 423}))
    const results = await Array.fromAsync(dav.retry(failures.toReversed(), 1))
    expect(results.map(line).toSorted()).toEqual([
      '201 self /a/x',
      '423 status self /a/y',
      '424 member self /a/',
    ])
    expect(sent().filter((one) => one === 'COPY /a/ /b/')).toHaveLength(1)
  })

  it('sends a MOVE again when its members are moved, for the collection that is left', async () => {
    server.answers(partly)
    const failures = await queue(dav.move('a/', 'b/'))
    server.answers({status: 201})
    const results = await Array.fromAsync(dav.retry(failures, 1))
    expect(results.map(line)).toEqual(['201 self /a/x', '201 self /a/y', '201 self /a/'])
    expect(sent().at(-1)).toBe('MOVE /a/ /b/')
  })

  it('sends a collection whose members are not in the queue', async () => {
    server.answers(partly)
    const target = (await queue(dav.copy('a/', 'b/'))).find(({reason}) => reason === 'member')
    server.answers({status: 201})
    const results = await Array.fromAsync(dav.retry(target === undefined ? [] : [target], 1))
    expect(results.map(line)).toEqual(['201 self /a/'])
  })

  it('sends a COPY that overwrites as a whole: a member that is left may have ended it', async () => {
    server.answers(answer207(verdicts({'/b/x': '423 Locked'})))
    const failures = await queue(dav.copy('a/', 'b/', {overwrite: true}))
    server.answers({status: 204})
    const results = await Array.fromAsync(dav.retry(failures, 1))
    expect(results.map(line)).toEqual(['423 status member /b/x', '204 self /a/'])
    expect(sent()).toEqual(['COPY /a/ /b/', 'COPY /a/ /b/'])
  })

  it('has the Success of a collection inside of it when its own members are copied', async () => {
    server.answers(
      answer207(verdicts({'/a/c/': '423 Locked'})),
      answer207(verdicts({'/a/c/x': '423 Locked'})),
      {status: 201},
    )
    const result = await dav.copy('a/', 'b/', {retry: {attempts: 3, minDelay: 1, maxDelay: 1}})
    expect(line(result)).toBe('207 self /a/')
    expect(sent()).toEqual(['COPY /a/ /b/', 'COPY /a/c/ /b/c/', 'COPY /a/c/x /b/c/x'])
  })

  it('never takes an old member at the destination of a MOVE that overwrites for one of the source', async () => {
    const old = answer207(verdicts({'/b/x': '423 Locked'}))
    withResources(
      () => ['/a', '/b', '/b/x'],
      (number) => (number === 1 ? old : {status: 204}),
    )
    const failures = await queue(dav.move('a', 'b', {overwrite: true}))
    const results = await Array.fromAsync(dav.retry(failures, 1))
    expect(results.map(line)).toEqual(['423 status member /b/x', '204 self /a'])
    expect(sent().filter((one) => one.startsWith('MOVE'))).toEqual(['MOVE /a /b', 'MOVE /a /b'])
  })
})
